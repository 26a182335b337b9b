//! Argo CD's side: scripts in Lua that read an object, or change it. These were written after its rules.

use mlua::{Lua, LuaOptions, StdLib, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

const ROLLOUT_HEALTH: &str = include_str!("scripts/rollout_health.lua");
const RUN_HEALTH: &str = include_str!("scripts/run_health.lua");
const ROLLOUT_ACTIONS: &str = include_str!("scripts/rollout_actions.lua");

/// The actions, by name.
const ACTIONS: [(&str, &str); 8] = [
    ("abort", include_str!("scripts/abort.lua")),
    ("pause", include_str!("scripts/pause.lua")),
    ("promote-full", include_str!("scripts/promote-full.lua")),
    ("restart", include_str!("scripts/restart.lua")),
    ("resume", include_str!("scripts/resume.lua")),
    ("retry", include_str!("scripts/retry.lua")),
    ("skip-current-step", include_str!("scripts/skip-current-step.lua")),
    ("terminate", include_str!("scripts/terminate.lua")),
];

/// An interpreter.
#[derive(Debug)]
pub(crate) struct ArgoCd(Lua);

impl Default for ArgoCd {
    fn default() -> Self {
        Self(Lua::new_with(StdLib::OS, LuaOptions::default()).unwrap())
    }
}

impl ArgoCd {
    /// Health and message of a Rollout.
    pub(crate) fn health(&self, rollout: &Value) -> (String, String) {
        self.health_by(ROLLOUT_HEALTH, rollout)
    }

    /// Health and message of an AnalysisRun; the health is empty if the script does not know its phase.
    pub(crate) fn health_of_run(&self, run: &Value) -> (String, String) {
        self.health_by(RUN_HEALTH, run)
    }

    fn health_by(&self, script: &str, object: &Value) -> (String, String) {
        let said: Table = self.run(script, object);
        let text = |key: &str| said.get::<Option<String>>(key).unwrap().unwrap_or_default();
        (text("status"), text("message"))
    }

    /// The actions of a Rollout that can be chosen, in the order of their names.
    pub(crate) fn enabled(&self, rollout: &Value) -> Vec<String> {
        let said: Table = self.run(ROLLOUT_ACTIONS, rollout);
        let pairs = said.pairs::<String, Table>().map(Result::unwrap);
        let enabled = pairs.filter(|(_, action)| !action.get::<bool>("disabled").unwrap());
        let mut enabled: Vec<_> = enabled.map(|(name, _)| name).collect();
        enabled.sort();
        enabled
    }

    /// What Argo CD sends for an action: the difference that the script makes, as a merge patch.
    pub(crate) fn patch(&self, action: &str, object: &Value, now: &str) -> Value {
        let (_, script) = ACTIONS.iter().find(|(name, _)| *name == action).unwrap();
        let os: Table = self.0.globals().get("os").unwrap();
        let now = now.to_owned();
        os.set("date", self.0.create_function(move |_, _: String| Ok(now.clone())).unwrap()).unwrap();
        let changed: LuaValue = self.run(script, object);
        difference(object, &from_lua(&changed, Some(object)))
    }

    fn run<T: mlua::FromLua>(&self, script: &str, object: &Value) -> T {
        self.0.globals().set("obj", self.to_lua(object)).unwrap();
        self.0.load(script).eval().unwrap()
    }

    fn to_lua(&self, value: &Value) -> LuaValue {
        match value {
            Value::Null => LuaValue::Nil,
            Value::Bool(value) => LuaValue::Boolean(*value),
            // In Lua, all numbers are floating-point.
            Value::Number(value) => LuaValue::Number(value.as_f64().unwrap()),
            Value::String(text) => LuaValue::String(self.0.create_string(text).unwrap()),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.to_lua(item));
                LuaValue::Table(self.0.create_sequence_from(items).unwrap())
            }
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.as_str(), self.to_lua(value)));
                LuaValue::Table(self.0.create_table_from(fields).unwrap())
            }
        }
    }
}

/// An empty table may be a list or a map: what it was before says which.
#[expect(clippy::wildcard_enum_match_arm, reason = "no JSON has anything else")]
fn from_lua(value: &LuaValue, before: Option<&Value>) -> Value {
    match value {
        LuaValue::Boolean(value) => (*value).into(),
        LuaValue::Integer(value) => (*value).into(),
        #[expect(clippy::cast_possible_truncation, reason = "a number without a fraction, and not large")]
        LuaValue::Number(value) if value.fract() == 0.0 => Number::from(*value as i64).into(),
        LuaValue::Number(value) => Number::from_f64(*value).unwrap().into(),
        LuaValue::String(text) => text.to_str().unwrap().to_string().into(),
        LuaValue::Table(table) => {
            let is_list = table.raw_len() > 0 || before.is_some_and(Value::is_array);
            if is_list {
                let items = table.sequence_values::<LuaValue>().map(Result::unwrap);
                let items =
                    items.enumerate().map(|(at, item)| from_lua(&item, before.and_then(|all| all.get(at))));
                return items.collect();
            }
            let fields = table.pairs::<String, LuaValue>().map(Result::unwrap);
            let fields = fields.map(|(key, value)| {
                let before = before.and_then(|all| all.get(&key));
                (key, from_lua(&value, before))
            });
            Value::Object(fields.collect())
        }
        _ => Value::Null,
    }
}

/// The merge patch from one object to another.
pub(crate) fn difference(from: &Value, to: &Value) -> Value {
    let (Some(before), Some(after)) = (from.as_object(), to.as_object()) else { return to.clone() };
    let mut patch = Map::new();
    for (key, value) in after {
        match before.get(key) {
            Some(same) if same == value => {}
            Some(other) => drop(patch.insert(key.clone(), difference(other, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for (key, _) in before.iter().filter(|(key, value)| !after.contains_key(*key) && !value.is_null()) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}
