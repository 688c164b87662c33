//! TLS: whose certificate is trusted.

use serde_json::json;
use suite::{Authority, CertificateFor, Sushy};

use super::{builder, create, info, read};

/// The answer to a read of the emulator's system, by a node that differs so.
fn answer(sushy: &Sushy, changes: serde_json::Value) -> suite::Reply {
    let host = builder().start();
    create(&host, "n1", info(sushy, changes));
    read(&host, sushy.system_path())
}

#[test]
fn a_certificate_is_verified_with_what_the_node_says() {
    let sushy = Sushy::start();
    answer(&sushy, json!({})).expect(200);
    let folder = tempfile::tempdir().unwrap();
    sushy.authority().write(folder.path());
    answer(&sushy, json!({"redfish_verify_ca": folder.path()})).expect(200);
    for off in [json!(false), json!("False")] {
        answer(&sushy, json!({ "redfish_verify_ca": off })).expect(200);
    }
    let unknown = "its certificate is not trusted: it is not signed by a CA that redfish_verify_ca names";
    for machine in [json!(true), json!(null)] {
        answer(&sushy, json!({ "redfish_verify_ca": machine })).refused(502, unknown);
    }
    let other = tempfile::tempdir().unwrap();
    let other = Authority::new().write(other.path());
    answer(&sushy, json!({ "redfish_verify_ca": other })).refused(502, unknown);
}

#[test]
fn a_ca_file_that_changes_is_read_again() {
    let sushy = Sushy::start();
    let folder = tempfile::tempdir().unwrap();
    let file = Authority::new().write(folder.path());
    let host = builder().start();
    create(&host, "n1", info(&sushy, json!({ "redfish_verify_ca": file })));
    read(&host, sushy.system_path()).refused(502, "its certificate is not trusted");
    let both = Authority::new().pem() + &sushy.authority().pem();
    std::fs::write(&file, both).unwrap();
    read(&host, sushy.system_path()).expect(200);
}

#[test]
fn a_bad_certificate_is_refused_with_what_is_bad_about_it() {
    let past = Sushy::with_certificate(CertificateFor::ThePast);
    answer(&past, json!({})).refused(502, "its certificate is not trusted: it has expired");
    answer(&past, json!({"redfish_verify_ca": false})).expect(200);
    let another = Sushy::with_certificate(CertificateFor::AnotherHost);
    answer(&another, json!({})).refused(502, "it is for another name than that in redfish_address");
    answer(&another, json!({"redfish_verify_ca": false})).expect(200);
}

#[test]
fn what_is_spoken_is_what_the_node_allows() {
    // The emulator speaks TLS 1.2 only, with a certificate for ECDSA.
    let sushy = Sushy::start();
    answer(
        &sushy,
        json!({"redfish_tls_ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),
    )
    .expect(200);
    answer(&sushy, json!({"redfish_tls_ciphers": "ECDHE+RSA"})).refused(502, "TLS failed: ");
    answer(&sushy, json!({"redfish_tls_minimum_version": "1.3"})).refused(502, "TLS failed: ");
}
