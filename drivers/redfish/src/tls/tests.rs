use std::fs;

use super::*;

fn own(path: &Path) -> TlsSettings {
    TlsSettings {
        verify: Verify::read(path.to_str().unwrap()).unwrap(),
        minimum: MinimumVersion::Tls12,
        ciphers: None,
    }
}

fn ca(name: &str) -> String {
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    parameters
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    let key = rcgen::KeyPair::generate().unwrap();
    parameters.self_signed(&key).unwrap().pem()
}

#[test]
fn whom_to_trust_is_a_boolean_in_ironics_words_or_an_absolute_path() {
    for (text, expected) in [
        ("True", Verify::System),
        ("yes", Verify::System),
        ("off", Verify::Nothing),
        ("/etc/ca.pem", Verify::Own("/etc/ca.pem".into())),
    ] {
        assert_eq!(Verify::read(text).unwrap(), expected);
    }
    for text in ["xyz", "*", "123", "ca.pem"] {
        let refused = Verify::read(text).unwrap_err().to_string();
        assert!(refused.starts_with("expected true, false, or"), "{refused}");
    }
}

#[test]
fn a_file_or_a_folder_of_cas_is_read_and_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pem");
    fs::write(&file, ca("a")).unwrap();
    let configs = TlsConfigs::default();
    for path in [file.as_path(), folder.path()] {
        let first = configs.get(&own(path)).unwrap();
        assert!(Arc::ptr_eq(&first, &configs.get(&own(path)).unwrap()));
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text + &ca("b")).unwrap();
        assert!(!Arc::ptr_eq(&first, &configs.get(&own(path)).unwrap()));
    }
}

#[test]
fn a_path_without_a_usable_certificate_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let configs = TlsConfigs::default();
    let refused = |path: &Path| configs.get(&own(path)).unwrap_err().to_string();
    assert!(refused(&folder.path().join("nothing")).contains("cannot read"));
    assert!(refused(folder.path()).starts_with("no CA certificate in "));
    let file = folder.path().join("garbage.pem");
    fs::write(&file, "garbage").unwrap();
    assert!(refused(&file).starts_with("no CA certificate in "));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(&file, broken).unwrap();
    assert!(refused(&file).contains("a certificate that cannot be read"));
}
