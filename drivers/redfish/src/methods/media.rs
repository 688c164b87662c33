//! Virtual media: images that a BMC shows its server as drives.

use driver_sdk::prelude::*;
use hyper::Uri;

use super::Server;
use crate::client::Resource;
use crate::path::ServicePath;

/// The arguments of `eject_vmedia`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Eject {
    /// Which drive; all of them without it.
    boot_device: Option<Drive>,
}

/// The arguments of `insert_vmedia`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Insert {
    /// What the BMC is to fetch.
    image_url: String,
    /// Which drive.
    #[serde(default)]
    boot_device: Drive,
    /// Whether the server may write to the image.
    write_protected: Option<bool>,
    /// Who fetches the image.
    username: Option<String>,
    password: Option<String>,
}

/// A kind of drive, in Ironic's words.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
enum Drive {
    #[default]
    Cd,
    Dvd,
    Usb,
    Floppy,
}

impl Drive {
    fn ironic(self) -> &'static str {
        match self {
            Drive::Cd => "cd",
            Drive::Dvd => "dvd",
            Drive::Usb => "usb",
            Drive::Floppy => "floppy",
        }
    }

    /// Redfish's word (VirtualMedia, `MediaTypes`).
    fn redfish(self) -> &'static str {
        match self {
            Drive::Cd => "CD",
            Drive::Dvd => "DVD",
            Drive::Usb => "USBStick",
            Drive::Floppy => "Floppy",
        }
    }
}

impl Insert {
    /// Checks what its type does not.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let refused = |reason| {
            let text = format!("argument 'image_url' of method 'insert_vmedia': {reason}");
            Err(Fault::invalid_parameter(text))
        };
        let url: Option<Uri> = self.image_url.parse().ok();
        match url.as_ref().and_then(Uri::authority) {
            // It would be shown with the image.
            Some(authority) if authority.as_str().contains('@') => {
                refused("give a user and a password as username and password")
            }
            Some(authority) if !authority.host().is_empty() && self.image_url.contains("://") => Ok(()),
            _ => refused("expected an absolute URL such as http://192.0.2.1/boot.iso"),
        }
    }
}

/// Ejects what is in the drives. Those that are empty already are fine.
pub(crate) async fn eject(server: &Server<'_>, args: &Eject) -> Result<Value, Fault> {
    let mut ejected = Vec::new();
    let mut fitting = 0;
    for drive in drives(server).await? {
        if args.boot_device.is_some_and(|wanted| !takes(&drive, wanted)) {
            continue;
        }
        fitting += 1;
        if is_loaded(&drive) {
            eject_from(server, &drive).await?;
            ejected.push(drive.path.to_string());
        }
    }
    match args.boot_device {
        Some(wanted) if fitting == 0 => Err(none_of(server, wanted)),
        _ => Ok(json!({ "ejected": ejected })),
    }
}

/// Inserts an image, in place of another one. One that is inserted already is fine.
pub(crate) async fn insert(server: &Server<'_>, args: &Insert) -> Result<Value, Fault> {
    let mut fitting: Vec<Resource> = drives(server).await?;
    fitting.retain(|drive| takes(drive, args.boot_device));
    let holds_it = |drive: &Resource| drive.text("Image") == Some(&args.image_url) && is_loaded(drive);
    let chosen = fitting
        .iter()
        .position(holds_it)
        .or_else(|| fitting.iter().position(|drive| !is_loaded(drive)))
        .unwrap_or(0);
    let Some(drive) = fitting.get(chosen) else {
        return Err(none_of(server, args.boot_device));
    };
    if !holds_it(drive) {
        if is_loaded(drive) {
            eject_from(server, drive).await?;
        }
        insert_into(server, drive, args).await?;
    }
    let now = server.client.get(&drive.path).await?;
    if !is_loaded(&now) {
        return Err(Fault::unavailable(format!(
            "{}: it took the image, but {} shows none",
            server.client.endpoint(),
            drive.path
        )));
    }
    Ok(json!({"inserted": drive.path.as_str()}))
}

/// All drives, of the server and of its managers, each once.
async fn drives(server: &Server<'_>) -> Result<Vec<Resource>, Fault> {
    let system = server.system().await?;
    let mut collections: Vec<String> = system
        .link("VirtualMedia")
        .map(str::to_owned)
        .into_iter()
        .collect();
    for manager in server.managers(&system).await? {
        collections.extend(manager.link("VirtualMedia").map(str::to_owned));
    }
    let mut paths: Vec<ServicePath> = Vec::new();
    for (number, collection) in collections.iter().enumerate() {
        if collections[..number].contains(collection) {
            continue;
        }
        for path in server.client.members(collection).await? {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    let mut drives = Vec::new();
    for path in paths {
        drives.push(server.client.get(&path).await?);
    }
    Ok(drives)
}

fn takes(drive: &Resource, wanted: Drive) -> bool {
    let types = drive.json.get("MediaTypes").and_then(Value::as_array);
    types.into_iter().flatten().any(|kind| kind == wanted.redfish())
}

fn is_loaded(drive: &Resource) -> bool {
    match drive.json.get("Inserted").and_then(Value::as_bool) {
        Some(inserted) => inserted,
        None => drive.text("Image").is_some_and(|image| !image.is_empty()),
    }
}

fn none_of(server: &Server<'_>, wanted: Drive) -> Fault {
    Fault::invalid_parameter(format!(
        "{}: the server has no virtual drive of the kind '{}'",
        server.client.endpoint(),
        wanted.ironic()
    ))
}

async fn eject_from(server: &Server<'_>, drive: &Resource) -> Result<(), Fault> {
    match drive.action("#VirtualMedia.EjectMedia") {
        Some(action) => server.client.act_on(action, &json!({})).await?,
        // Before the action existed (VirtualMedia 1.0).
        None => {
            let empty = json!({"Image": null, "Inserted": false});
            server.client.patch(&drive.path, &empty).await?
        }
    };
    Ok(())
}

async fn insert_into(server: &Server<'_>, drive: &Resource, args: &Insert) -> Result<(), Fault> {
    let mut body = json!({"Image": args.image_url});
    // Parameters that say what is the case without them are refused by some BMCs.
    if let Some(write_protected) = args.write_protected {
        body["WriteProtected"] = write_protected.into();
    }
    if let Some(username) = &args.username {
        body["UserName"] = username.as_str().into();
    }
    if let Some(password) = &args.password {
        body["Password"] = password.as_str().into();
    }
    match drive.action("#VirtualMedia.InsertMedia") {
        Some(action) => server.client.act_on(action, &body).await?,
        None => {
            body["Inserted"] = true.into();
            server.client.patch(&drive.path, &body).await?
        }
    };
    Ok(())
}
