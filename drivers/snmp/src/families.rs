//! The families of PDUs, as data: which object says what an outlet does, and which one is written to change it.
//!
//! The names are those of Ironic's `snmp` hardware type. OIDs and values are those of the makers' MIBs, named with each; where Ironic's
//! differ from the MIB, the MIB is followed and the difference is noted.

use crate::family::{Command, Family, Index, State};

use State::{Changing, Off, On};

/// Every family, in the order of the README.
pub(crate) const FAMILIES: &[Family] = &[
    // PowerNet-MIB: sPDUOutletCtl is outletOn(1), outletOff(2), outletReboot(3), read and written.
    Family {
        names: &["apc_masterswitch", "apc"],
        state: "1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}",
        states: &[
            (1, On),
            (2, Off),
            (3, Changing),
            (5, Changing),
            (6, Changing),
            (7, Changing),
        ],
        on: Command("1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}", 1),
        off: Command("1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}", 2),
        reboot: Some(Command("1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}", 3)),
        index: Index::Outlet,
    },
    // PowerNet-MIB: sPDUOutletControlMSPOutletCommand is immediateOnMSP(1), immediateOffMSP(3), immediateRebootMSP(5), read and written.
    // Its index is unit, 1, outlet; Ironic leaves the first two out.
    Family {
        names: &["apc_masterswitchplus"],
        state: "1.3.6.1.4.1.318.1.1.6.5.1.1.5.{outlet}",
        states: &[(1, On), (3, Off), (2, Changing), (4, Changing), (5, Changing)],
        on: Command("1.3.6.1.4.1.318.1.1.6.5.1.1.5.{outlet}", 1),
        off: Command("1.3.6.1.4.1.318.1.1.6.5.1.1.5.{outlet}", 3),
        reboot: Some(Command("1.3.6.1.4.1.318.1.1.6.5.1.1.5.{outlet}", 5)),
        index: Index::Behind("1.1"),
    },
    // PowerNet-MIB: rPDUOutletControlOutletCommand is immediateOn(1), immediateOff(2), immediateReboot(3); read, it is 1 or 2.
    Family {
        names: &["apc_rackpdu"],
        state: "1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{outlet}",
        states: &[
            (1, On),
            (2, Off),
            (3, Changing),
            (4, Changing),
            (5, Changing),
            (6, Changing),
        ],
        on: Command("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{outlet}", 1),
        off: Command("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{outlet}", 2),
        reboot: Some(Command("1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{outlet}", 3)),
        index: Index::Outlet,
    },
    // ATEN-PE-CFG: a column for each outlet, with off(1), on(2), pending(3), reboot(4), read and written. The number is the column's, as in
    // Ironic: on a PE6108G or PE8108G outlet 1 is column 2.
    Family {
        names: &["aten"],
        state: "1.3.6.1.4.1.21317.1.3.2.2.2.2.{outlet}.0",
        states: &[(1, Off), (2, On), (3, Changing), (4, Changing)],
        on: Command("1.3.6.1.4.1.21317.1.3.2.2.2.2.{outlet}.0", 2),
        off: Command("1.3.6.1.4.1.21317.1.3.2.2.2.2.{outlet}.0", 1),
        reboot: Some(Command("1.3.6.1.4.1.21317.1.3.2.2.2.2.{outlet}.0", 4)),
        index: Index::Outlet,
    },
    // CPS-MIB: ePDUOutletControlOutletCommand is immediateOn(1), immediateOff(2), immediateReboot(3); read, it is 1 or 2.
    Family {
        names: &["cyberpower"],
        state: "1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.{outlet}",
        states: &[
            (1, On),
            (2, Off),
            (3, Changing),
            (4, Changing),
            (5, Changing),
            (6, Changing),
        ],
        on: Command("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.{outlet}", 1),
        off: Command("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.{outlet}", 2),
        reboot: Some(Command("1.3.6.1.4.1.3808.1.1.3.3.3.1.1.4.{outlet}", 3)),
        index: Index::Outlet,
    },
    // EATON-EPDU-MIB: outletControlStatus is off(0), on(1), pendingOff(2), pendingOn(3). outletControlOffCmd, OnCmd and RebootCmd take
    // seconds to wait. The index is the unit, 0 unless units are daisy-chained, and the outlet; Ironic leaves the unit out, and has
    // OffCmd and OnCmd the wrong way round.
    Family {
        names: &["eatonpower"],
        state: "1.3.6.1.4.1.534.6.6.7.6.6.1.2.{outlet}",
        states: &[(0, Off), (1, On), (2, Changing), (3, Changing)],
        on: Command("1.3.6.1.4.1.534.6.6.7.6.6.1.4.{outlet}", 0),
        off: Command("1.3.6.1.4.1.534.6.6.7.6.6.1.3.{outlet}", 0),
        reboot: Some(Command("1.3.6.1.4.1.534.6.6.7.6.6.1.5.{outlet}", 0)),
        index: Index::Behind("0"),
    },
    // Ironic's: off(1), on(2), read and written; nothing is published of a reboot.
    Family {
        names: &["teltronix"],
        state: "1.3.6.1.4.1.23620.1.2.2.1.4.{outlet}",
        states: &[(1, Off), (2, On)],
        on: Command("1.3.6.1.4.1.23620.1.2.2.1.4.{outlet}", 2),
        off: Command("1.3.6.1.4.1.23620.1.2.2.1.4.{outlet}", 1),
        reboot: None,
        index: Index::Outlet,
    },
    // Baytech-MIB-403-1: sBTAModulesRPCOutletState is off(0), on(1), reboot(2), lockon(3), lockoff(4), read and written. The index is
    // the module, 1 as in Ironic, and the outlet.
    Family {
        names: &["baytech_mrp27"],
        state: "1.3.6.1.4.1.4779.1.3.5.3.1.3.{outlet}",
        states: &[(0, Off), (1, On), (2, Changing), (3, On), (4, Off)],
        on: Command("1.3.6.1.4.1.4779.1.3.5.3.1.3.{outlet}", 1),
        off: Command("1.3.6.1.4.1.4779.1.3.5.3.1.3.{outlet}", 0),
        reboot: Some(Command("1.3.6.1.4.1.4779.1.3.5.3.1.3.{outlet}", 2)),
        index: Index::Behind("1"),
    },
    // Sentry3-MIB: outletStatus is off(0), on(1), offWait(2), onWait(3), ...; outletControlAction takes on(1), off(2), reboot(3). The
    // index is tower, infeed, outlet.
    Family {
        names: &["servertech_sentry3"],
        state: "1.3.6.1.4.1.1718.3.2.3.1.5.{outlet}",
        states: &[(0, Off), (1, On), (2, Changing), (3, Changing), (7, Changing)],
        on: Command("1.3.6.1.4.1.1718.3.2.3.1.11.{outlet}", 1),
        off: Command("1.3.6.1.4.1.1718.3.2.3.1.11.{outlet}", 2),
        reboot: Some(Command("1.3.6.1.4.1.1718.3.2.3.1.11.{outlet}", 3)),
        index: Index::Behind("1.1"),
    },
    // Sentry4-MIB: st4OutletState is unknown(0), on(1), off(2); st4OutletControlAction takes on(1), off(2), reboot(3). The index is unit,
    // input cord, outlet.
    Family {
        names: &["servertech_sentry4"],
        state: "1.3.6.1.4.1.1718.4.1.8.3.1.1.{outlet}",
        states: &[(1, On), (2, Off)],
        on: Command("1.3.6.1.4.1.1718.4.1.8.5.1.2.{outlet}", 1),
        off: Command("1.3.6.1.4.1.1718.4.1.8.5.1.2.{outlet}", 2),
        reboot: Some(Command("1.3.6.1.4.1.1718.4.1.8.5.1.2.{outlet}", 3)),
        index: Index::Behind("1.1"),
    },
    // GEIST-V5-MIB: pduOutletSwitchState is on(1), off(2), on2off(3), off2on(4), rebootOn(5), rebootOff(6); pduOutletSwitchControl takes
    // on(2), off(4), reboot(6).
    Family {
        names: &["vertivgeist_pdu"],
        state: "1.3.6.1.4.1.21239.5.2.3.5.1.4.{outlet}",
        states: &[
            (1, On),
            (2, Off),
            (3, Changing),
            (4, Changing),
            (5, Changing),
            (6, Changing),
        ],
        on: Command("1.3.6.1.4.1.21239.5.2.3.5.1.6.{outlet}", 2),
        off: Command("1.3.6.1.4.1.21239.5.2.3.5.1.6.{outlet}", 4),
        reboot: Some(Command("1.3.6.1.4.1.21239.5.2.3.5.1.6.{outlet}", 6)),
        index: Index::Outlet,
    },
    // PDU2-MIB: outletSwitchingState is on(7), off(8); switchingOperation takes off(0), on(1), cycle(2). The index is the PDU, 1 unless
    // PDUs are linked, and the outlet.
    Family {
        names: &["raritan_pdu2"],
        state: "1.3.6.1.4.1.13742.6.4.1.2.1.3.{outlet}",
        states: &[(7, On), (8, Off)],
        on: Command("1.3.6.1.4.1.13742.6.4.1.2.1.2.{outlet}", 1),
        off: Command("1.3.6.1.4.1.13742.6.4.1.2.1.2.{outlet}", 0),
        reboot: Some(Command("1.3.6.1.4.1.13742.6.4.1.2.1.2.{outlet}", 2)),
        index: Index::Behind("1"),
    },
];
