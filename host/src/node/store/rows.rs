//! Nodes as rows: the SQL, and nothing else.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::FromSql;
use rusqlite::{Connection, Row, ToSql, ffi};
use uuid::Uuid;

use super::error::NodeError;
use super::index::Index;
use crate::database::StoreError;
use crate::node::fields::{FieldFault, Identity, JsonObject, Node, NodeFields, RareFields};
use crate::node::power::PowerState;
use crate::node::secret::SecretNames;

const INSERT: &str = "INSERT INTO nodes (
        uuid, revision, created_at, updated_at, name, driver, driver_info, properties, extra, maintenance, protected, retired,
        automated_clean, instance_info, network_data, instance_uuid, chassis_uuid, resource_class, owner, lessee, description,
        maintenance_reason, protected_reason, retired_reason, last_error,
        power_state, target_power_state
    ) VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26,
        ?27
    )";

const UPDATE: &str = "UPDATE nodes SET
        revision = ?2, created_at = ?3, updated_at = ?4, name = ?5, driver = ?6, driver_info = ?7, properties = ?8, extra = ?9,
        maintenance = ?10, protected = ?11, retired = ?12, automated_clean = ?13, instance_info = ?14, network_data = ?15,
        instance_uuid = ?16, chassis_uuid = ?17, resource_class = ?18, owner = ?19, lessee = ?20, description = ?21,
        maintenance_reason = ?22, protected_reason = ?23, retired_reason = ?24, last_error = ?25,
        power_state = ?26, target_power_state = ?27
    WHERE uuid = ?1 AND sequence = ?28 AND revision = ?2 - 1";

/// Adds a node and returns its sequence.
pub(super) fn insert(connection: &Connection, id: &Identity, fields: &NodeFields) -> Result<i64, NodeError> {
    let inserted = with_values(id, fields, |values| {
        connection.prepare_cached(INSERT)?.execute(values)
    });
    inserted.map_err(|error| taken(error, id, fields))?;
    Ok(connection.last_insert_rowid())
}

/// Writes a node over its previous revision. One that was deleted is gone, also if there is a new one of its uuid: sequences are never
/// given twice.
pub(super) fn update(connection: &Connection, id: &Identity, fields: &NodeFields) -> Result<(), NodeError> {
    let updated = with_values(id, fields, |values| {
        let values = [values, &[&id.sequence]].concat();
        connection.prepare_cached(UPDATE)?.execute(&*values)
    });
    if updated.map_err(|error| taken(error, id, fields))? == 1 {
        return Ok(());
    }
    let mut there = connection.prepare_cached("SELECT 1 FROM nodes WHERE uuid = ?1 AND sequence = ?2")?;
    let uuid = id.uuid;
    Err(if there.exists((text(&uuid), id.sequence))? {
        NodeError::Changed { uuid }
    } else {
        NodeError::Gone { uuid }
    })
}

/// Removes a node.
pub(super) fn delete(connection: &Connection, uuid: &Uuid) -> Result<(), NodeError> {
    match connection
        .prepare_cached("DELETE FROM nodes WHERE uuid = ?1")?
        .execute([text(uuid)])?
    {
        0 => Err(NodeError::Gone { uuid: *uuid }),
        _ => Ok(()),
    }
}

/// Adds the names of a driver's secret properties.
pub(super) fn remember_secrets(
    connection: &Connection,
    driver: &str,
    names: &[String],
) -> Result<(), NodeError> {
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO secret_properties VALUES (?1, ?2)")?;
    names
        .iter()
        .try_for_each(|name| insert.execute([driver, name]).map(drop))
        .map_err(NodeError::from)
}

const SELECT: &str = "SELECT
        sequence, uuid, revision, created_at, updated_at, name, driver, driver_info, properties, extra, maintenance, protected, retired,
        automated_clean, instance_info, network_data, instance_uuid, chassis_uuid, resource_class, owner, lessee, description,
        maintenance_reason, protected_reason, retired_reason, last_error,
        power_state, target_power_state
    FROM nodes ORDER BY sequence";

/// Reads every node.
pub(super) fn read_nodes(connection: &Connection, path: &Path) -> Result<Index, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::unreadable(path, &error);
    let mut select = connection.prepare(SELECT).map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut nodes = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let node = read_node(row).map_err(|cause| {
            let cause = match row.get::<_, String>(1) {
                Ok(uuid) => format!("node {uuid}: {cause}"),
                Err(_) => cause.to_string(),
            };
            StoreError::damaged(path, cause)
        })?;
        nodes.push(Arc::new(node));
    }
    Ok(nodes.into_iter().collect())
}

/// Reads what manifests have ever declared secret.
pub(super) fn read_secrets(connection: &Connection, path: &Path) -> Result<SecretNames, StoreError> {
    let failed = |error: rusqlite::Error| StoreError::unreadable(path, &error);
    let mut select = connection
        .prepare("SELECT name FROM secret_properties")
        .map_err(failed)?;
    let names = select
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect::<rusqlite::Result<Vec<String>>>);
    let mut secrets = SecretNames::default();
    secrets.extend(names.map_err(failed)?.iter().map(String::as_str));
    Ok(secrets)
}

/// A row that does not make a node.
#[derive(Debug, thiserror::Error)]
enum RowFault {
    #[error(transparent)]
    Column(#[from] rusqlite::Error),
    #[error("{text:?} is not a uuid")]
    Uuid { text: String },
    #[error("{text:?} is not a power state")]
    PowerState { text: String },
    #[error("not a JSON object: {0}")]
    Object(#[from] serde_json::Error),
    #[error(transparent)]
    Field(#[from] FieldFault),
}

/// Reads the columns of a row in their order.
struct Columns<'a> {
    row: &'a Row<'a>,
    next: usize,
}

impl Columns<'_> {
    fn next<T: FromSql>(&mut self) -> Result<T, RowFault> {
        self.next += 1;
        Ok(self.row.get(self.next - 1)?)
    }

    fn text(&mut self) -> Result<Option<Box<str>>, RowFault> {
        self.next()
    }

    fn object(&mut self) -> Result<JsonObject, RowFault> {
        self.next += 1;
        let text = self
            .row
            .get_ref(self.next - 1)?
            .as_str()
            .map_err(rusqlite::Error::from)?;
        Ok(JsonObject::stored(text)?)
    }

    fn uuid(&mut self) -> Result<Option<Uuid>, RowFault> {
        let text: Option<String> = self.next()?;
        text.map(|text| Uuid::parse_str(&text).map_err(|_| RowFault::Uuid { text }))
            .transpose()
    }

    fn power_state(&mut self) -> Result<Option<PowerState>, RowFault> {
        let text: Option<String> = self.next()?;
        text.map(|text| PowerState::of_word(&text).ok_or(RowFault::PowerState { text }))
            .transpose()
    }
}

fn read_node(row: &Row<'_>) -> Result<Node, RowFault> {
    let mut columns = Columns { row, next: 0 };
    let identity = Identity {
        sequence: columns.next()?,
        uuid: columns.uuid()?.unwrap_or_default(),
        revision: columns.next()?,
        created_at: columns.next()?,
        updated_at: columns.next()?,
    };
    let mut fields = NodeFields {
        name: columns.text()?,
        driver: columns.next()?,
        driver_info: columns.object()?,
        properties: columns.object()?,
        extra: columns.object()?,
        maintenance: columns.next()?,
        protected: columns.next()?,
        retired: columns.next()?,
        automated_clean: columns.next()?,
        power_state: None,
        target_power_state: None,
        rare: RareFields {
            instance_info: columns.object()?,
            network_data: columns.object()?,
            instance_uuid: columns.uuid()?,
            chassis_uuid: columns.uuid()?,
            resource_class: columns.text()?,
            owner: columns.text()?,
            lessee: columns.text()?,
            description: columns.text()?,
            maintenance_reason: columns.text()?,
            protected_reason: columns.text()?,
            retired_reason: columns.text()?,
            last_error: columns.text()?,
        },
    };
    fields.power_state = columns.power_state()?;
    fields.target_power_state = columns.power_state()?;
    Ok(Node::new(identity, fields)?)
}

/// Calls `run` with the values of a node's columns, in the order of [`INSERT`].
fn with_values<R>(id: &Identity, fields: &NodeFields, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
    let rare = &fields.rare;
    let optional = |uuid: &Option<Uuid>| uuid.as_ref().map(text);
    run(&[
        &text(&id.uuid),
        &id.revision,
        &id.created_at,
        &id.updated_at,
        &fields.name,
        &fields.driver,
        &fields.driver_info.as_str(),
        &fields.properties.as_str(),
        &fields.extra.as_str(),
        &fields.maintenance,
        &fields.protected,
        &fields.retired,
        &fields.automated_clean,
        &rare.instance_info.as_str(),
        &rare.network_data.as_str(),
        &optional(&rare.instance_uuid),
        &optional(&rare.chassis_uuid),
        &rare.resource_class,
        &rare.owner,
        &rare.lessee,
        &rare.description,
        &rare.maintenance_reason,
        &rare.protected_reason,
        &rare.retired_reason,
        &rare.last_error,
        &fields.power_state.map(PowerState::word),
        &fields.target_power_state.map(PowerState::word),
    ])
}

fn text(uuid: &Uuid) -> String {
    uuid.hyphenated().to_string()
}

/// Says which uniqueness was violated.
fn taken(error: rusqlite::Error, id: &Identity, fields: &NodeFields) -> NodeError {
    let rusqlite::Error::SqliteFailure(failure, Some(text)) = &error else {
        return error.into();
    };
    if failure.extended_code != ffi::SQLITE_CONSTRAINT_UNIQUE {
        return error.into();
    }
    match (&fields.name, fields.rare.instance_uuid) {
        _ if text.ends_with("nodes.uuid") => NodeError::UuidTaken { uuid: id.uuid },
        (Some(name), _) if text.ends_with("nodes.name") => NodeError::NameTaken { name: name.clone() },
        (_, Some(instance)) if text.ends_with("nodes.instance_uuid") => NodeError::InstanceTaken {
            instance,
            node: id.uuid,
        },
        _ => error.into(),
    }
}
