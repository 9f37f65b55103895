//! The triggers by which the tables tell of changes, whoever makes them.
//!
//! A message names a session, or is [`ANY`]. It leaves the server when its transaction has
//! committed, so who reads after it reads what it tells of.

use super::DIALECT;
use crate::table::Table;

/// Any session may have changed.
pub(super) const ANY: &str = "*";

/// One trigger.
struct Trigger {
    name: &'static str,
    /// Whether it is on the table of epochs.
    epochs: bool,
    event: &'static str,
    each: &'static str,
}

/// What a reader may see, but for what a touch writes: that moves deadlines away from now, and who
/// has the nearer one in memory asks again before it ends the session. So a touch tells nobody, and
/// a commit, which writes `record` always, is known without comparing the columns.
const TRIGGERS: [Trigger; 5] = [
    Trigger {
        name: "tenure_changed",
        epochs: false,
        event: "UPDATE OF namespace, id, proof, pending, pending_since, former, former_until, \
                idle_timeout, absolute_deadline, user_id, epoch, user_epoch, record",
        each: "ROW",
    },
    // Nothing of ours does this alone; an operator may.
    Trigger {
        name: "tenure_shortened",
        epochs: false,
        event: "UPDATE OF idle_deadline",
        each: "ROW WHEN (NEW.idle_deadline < OLD.idle_deadline)",
    },
    Trigger { name: "tenure_deleted", epochs: false, event: "DELETE", each: "ROW" },
    Trigger { name: "tenure_emptied", epochs: false, event: "TRUNCATE", each: "STATEMENT" },
    Trigger {
        name: "tenure_revoked",
        epochs: true,
        event: "INSERT OR UPDATE OR DELETE OR TRUNCATE",
        each: "STATEMENT",
    },
];

impl Trigger {
    fn table(&self, table: &Table) -> String {
        if self.epochs { table.epochs(&DIALECT) } else { table.sessions(&DIALECT) }
    }
}

/// The channel on which a table tells.
pub(super) fn channel(table: &Table) -> String {
    format!("{}_changes", table.as_str())
}

/// The statements that make the triggers, and leave those that are there as they are.
///
/// The id of a foreign format is a secret, and whoever may connect to the database may listen: of
/// such a session the message tells only that there is one.
pub(super) fn sql(table: &Table) -> String {
    let (function, channel) = (table.with("_notify", &DIALECT), channel(table));
    let create: String = TRIGGERS
        .iter()
        .map(|trigger| {
            let Trigger { name, event, each, .. } = trigger;
            let table = trigger.table(table);
            format!(
                r#"    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname = '{name}') THEN
        CREATE TRIGGER {name} AFTER {event} ON {table}
            FOR EACH {each} EXECUTE FUNCTION {function}();
    END IF;
"#
            )
        })
        .collect();
    format!(
        r#"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $tenure$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        IF substr(OLD.id, 1, 1) = decode('00', 'hex') THEN
            PERFORM pg_notify('{channel}', encode(OLD.namespace, 'hex') || ' ' || encode(OLD.id, 'hex'));
            RETURN NULL;
        END IF;
    END IF;
    PERFORM pg_notify('{channel}', '{ANY}');
    RETURN NULL;
END
$tenure$;
DO $tenure$
BEGIN
{create}END
$tenure$;
"#
    )
}

/// A query for the process of the server that answers, and for whether all triggers are there.
pub(super) fn look(table: &Table) -> String {
    let those: Vec<_> = TRIGGERS
        .iter()
        .map(|trigger| {
            let (table, name) = (trigger.table(table), trigger.name);
            format!("(tgrelid = to_regclass('{table}') AND tgname = '{name}')")
        })
        .collect();
    format!(
        "SELECT pg_backend_pid(), (SELECT count(*) FROM pg_trigger WHERE tgenabled IN ('O', 'A') \
         AND ({})) = {}",
        those.join(" OR "),
        TRIGGERS.len()
    )
}
