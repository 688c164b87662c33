"""A BMC on 127.0.0.1, from pyghmi's class for one: `pyghmi_bmc.py PORT LOG`. What is done to it stands in LOG, line by line."""

import sys

from pyghmi.ipmi import bmc


class LoggingBmc(bmc.Bmc):
    def __init__(self, port, log):
        super().__init__({"admin": "password"}, port=port, address="127.0.0.1")
        self.log = log
        self.power = "off"
        self.boot_flags = [0, 0, 0, 0, 0]
        self.busy = 0

    def effect(self, text):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(text + "\n")

    def handle_raw_request(self, request, session):
        """Two requests of its own, of a function that the standard leaves to vendors."""
        if request["netfn"] != 0x30:
            return super().handle_raw_request(request, session)
        argument = request["data"][0]
        if request["command"] == 1:
            return session.send_ipmi_response(code=argument)
        if self.busy < argument:
            self.busy += 1
            self.effect("busy")
            return session.send_ipmi_response(code=0xC0)
        self.effect("not busy")
        return session.send_ipmi_response()

    def get_power_state(self):
        return self.power

    def power_on(self):
        self.power = "on"
        self.effect("power on")

    def power_off(self):
        self.power = "off"
        self.effect("power off")

    def power_shutdown(self):
        self.power = "off"
        self.effect("power soft off")

    def pulse_diag(self):
        self.effect("nmi")

    def set_system_boot_options(self, request, session):
        """As pyghmi's, with the flags that pyghmi's forgets: persistent, and the boot mode."""
        parameter, *data = request["data"]
        self.effect("boot options " + " ".join(f"{byte:02x}" for byte in [parameter, *data]))
        if parameter == 5:
            self.boot_flags = data
        elif parameter != 3:
            return session.send_ipmi_response(code=0x80)
        return session.send_ipmi_response()

    def get_system_boot_options(self, request, session):
        return session.send_ipmi_response(data=[1, 5, *self.boot_flags])

    def cold_reset(self):
        self.effect("cold reset")
        sys.exit(0)

    def is_active(self):
        return self.power == "on"


if __name__ == "__main__":
    LoggingBmc(int(sys.argv[1]), sys.argv[2]).listen()
