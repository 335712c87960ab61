//! What people do, in words: for every action that is written into the trail, how a page says it and what it was
//! done to. An action that is missing here stops the tests.

/// What an action was done to, and where that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A tenant.
    Tenant,
    /// An event type of a tenant.
    EventType,
    /// A token of a tenant.
    Token,
    /// A polling source of a tenant.
    Source,
    /// An account.
    User,
    /// An event of a tenant.
    Event,
    /// A group of failures of a tenant.
    FailureGroup,
    /// A background task of a tenant.
    Task,
    /// An integration of a tenant.
    Integration,
    /// Something that has no page of its own.
    Other,
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// As the trail keeps it.
    pub action: &'static str,
    /// As a sentence goes on after the name of who did it, and before the name of what it was done to.
    pub words: &'static str,
    /// What it was done to.
    pub object: Object,
}

const fn words(action: &'static str, object: Object, words: &'static str) -> Words {
    Words { action, words, object }
}

/// All actions, those of one kind of thing together.
pub const ALL: &[Words] = &[
    words("tenant.create", Object::Tenant, "created the tenant"),
    words("tenant.rename", Object::Tenant, "renamed the tenant"),
    words("tenant.origins", Object::Tenant, "changed the web pages that may send to"),
    words("tenant.enable", Object::Tenant, "enabled the tenant"),
    words("tenant.disable", Object::Tenant, "disabled the tenant"),
    words("demo.fill", Object::Tenant, "filled with invented history the tenant"),
    words("demo.remove", Object::Other, "removed the demo with all that belonged to it:"),
    words("event-type.create", Object::EventType, "created the event type"),
    words("event-type.change", Object::EventType, "changed the event type"),
    words("event-type.enable", Object::EventType, "enabled the event type"),
    words("event-type.disable", Object::EventType, "disabled the event type"),
    words("token.create", Object::Token, "created the token"),
    words("token.change", Object::Token, "changed the token"),
    words("token.roll", Object::Token, "rolled the token"),
    words("token.overlap", Object::Token, "changed the overlap of the token"),
    words("token.revoke", Object::Token, "revoked the token"),
    words("user.add", Object::User, "added the account"),
    words("user.change-password", Object::User, "changed the own password"),
    words("user.set-theme", Object::User, "chose another theme"),
    words("user.set-time-zone", Object::User, "chose another time zone"),
    words("user.set-shortcuts", Object::User, "switched the keyboard shortcuts"),
    words("session.start", Object::Other, "signed in"),
    words("session.end", Object::Other, "signed out"),
    words("session.revoke", Object::Other, "signed out another browser"),
    words("event-type.copy", Object::EventType, "copied to another tenant the event type"),
    words("contract.draft", Object::EventType, "drafted a contract of the event type"),
    words("contract.discard", Object::EventType, "discarded the draft of the event type"),
    words("contract.activate", Object::EventType, "activated a contract of the event type"),
    words("contract.roll-back", Object::EventType, "rolled back the contract of the event type"),
    words("event.test", Object::Event, "sent the test event"),
    words("tenant.retention", Object::Tenant, "changed how long to keep the events of"),
    words("task.start", Object::Task, "started the task"),
    words("task.cancel", Object::Task, "cancelled the task"),
    words("events.export", Object::Other, "exported events"),
    words("events.download", Object::Task, "downloaded the file of the task"),
    words("invitation.add", Object::Other, "invited somebody"),
    words("invitation.resend", Object::Other, "sent an invitation again"),
    words("invitation.revoke", Object::Other, "revoked an invitation"),
    words("user.change-role", Object::User, "changed the role of"),
    words("user.deactivate", Object::User, "deactivated the account"),
    words("user.reactivate", Object::User, "reactivated the account"),
    words("user.end-sessions", Object::User, "ended all sessions of"),
    words("user.make-reset-link", Object::User, "made a link to reset the password of"),
    words("user.reset-password", Object::User, "reset the own password by a link"),
    words("installation.require-second-factor", Object::Other, "changed who needs a second factor"),
    words("second-factor.on", Object::User, "switched on the second factor of"),
    words("second-factor.off", Object::User, "switched off the second factor of"),
    words("second-factor.reset", Object::User, "reset the second factor of"),
    words("second-factor.new-codes", Object::User, "made new recovery codes for"),
    words("second-factor.use-code", Object::User, "used a recovery code of"),
    words("event.mend", Object::Event, "mended the quarantined event"),
    words("failure-group.reopen", Object::FailureGroup, "reopened the failure group"),
    words("failure-group.acknowledge", Object::FailureGroup, "acknowledged the failure group"),
    words("failure-group.resolve", Object::FailureGroup, "resolved the failure group"),
    words("failure-group.ignore", Object::FailureGroup, "ignored the failure group"),
    words("source.create", Object::Source, "created the source"),
    words("source.change", Object::Source, "changed the source"),
    words("source.set-token", Object::Source, "replaced the token of the source"),
    words("source.pause", Object::Source, "paused the source"),
    words("source.resume", Object::Source, "resumed the source"),
    words("source.remove", Object::Source, "removed the source"),
    words("source.run", Object::Source, "ran the source"),
    words("source.backfill", Object::Source, "had a range asked for of the source"),
    words("source.limit-host", Object::Other, "limited what may be asked of a host"),
    words("host.allow", Object::Other, "allowed the host inside this network"),
    words("host.withdraw", Object::Other, "no longer allows the host inside this network"),
    words("alert-channel.add", Object::Other, "added a channel for alerts"),
    words("alert-channel.change", Object::Other, "changed a channel for alerts"),
    words("alert-channel.pause", Object::Other, "paused a channel for alerts"),
    words("alert-channel.resume", Object::Other, "resumed a channel for alerts"),
    words("alert-channel.roll", Object::Other, "made a new secret for a channel for alerts"),
    words("alert-channel.remove", Object::Other, "removed a channel for alerts"),
    words("alert-channel.test", Object::Other, "sent a test to a channel for alerts"),
    words("alert-rules.change", Object::EventType, "changed what is watched of the event type"),
    words("integration.create", Object::Integration, "began the intake of"),
    words("integration.change", Object::Integration, "changed the integration"),
    words("integration.turn", Object::Integration, "said what is next for"),
    words("integration.advance", Object::Integration, "took to another stage the integration"),
    words("integration.share-status", Object::Integration, "shared the status page of"),
    words("integration.unshare-status", Object::Integration, "took back a link to the status page of"),
    words("integration.answer-task", Object::Integration, "answered a task of"),
    words("tenant.view-as-customer", Object::Tenant, "looked as its customer at"),
    words("intake.answer", Object::Integration, "answered the intake of"),
    words("intake.check", Object::Integration, "changed the technical check list of"),
    words("intake.verdict", Object::Integration, "gave a verdict on"),
    words("intake.evidence", Object::Integration, "attached evidence to the intake of"),
    words("intake.endpoint", Object::Integration, "opened or closed the temporary endpoint of"),
    words("intake.link", Object::Integration, "made a link to answer the intake of"),
    words("intake.open-link", Object::Integration, "opened a link to answer the intake of"),
    words("intake.revoke-link", Object::Integration, "took back a link to answer the intake of"),
    words("portal.link", Object::Integration, "made a link to the portal for"),
    words("portal.open-link", Object::Integration, "opened a link to the portal for"),
    words("portal.revoke-link", Object::Integration, "took back a link to the portal for"),
    words("quotation.begin", Object::Integration, "began a quotation for"),
    words("quotation.change", Object::Integration, "changed the quotation for"),
    words("quotation.submit", Object::Integration, "asked for the approval of the quotation for"),
    words("quotation.approve", Object::Integration, "approved the quotation for"),
    words("quotation.return", Object::Integration, "returned the quotation for"),
    words("quotation.withdraw", Object::Integration, "withdrew the quotation for"),
    words("quotation.send", Object::Integration, "sent the quotation for"),
    words("quotation.view", Object::Integration, "looked at the quotation for"),
    words("quotation.accept", Object::Integration, "accepted the quotation for"),
    words("quotation.decline", Object::Integration, "declined the quotation for"),
    words("quotation.link", Object::Integration, "made a link to the quotation for"),
    words("quotation.open-link", Object::Integration, "opened a link to the quotation for"),
    words("quotation.revoke-link", Object::Integration, "took back a link to the quotation for"),
    words("investigation.plan", Object::Integration, "planned the investigation of"),
    words("investigation.question", Object::Integration, "changed a question of the investigation of"),
    words("investigation.time", Object::Integration, "wrote down time spent on the investigation of"),
    words("implementation.begin", Object::Integration, "planned the implementation of"),
    words("implementation.extend", Object::Integration, "added a change order to the implementation of"),
    words("implementation.task", Object::Integration, "changed a task of the implementation of"),
    words("implementation.draft", Object::Integration, "changed a draft of the implementation of"),
    words("implementation.make", Object::Integration, "made what was drafted in the implementation of"),
    words("implementation.time", Object::Integration, "wrote down time spent on the implementation of"),
    words("evidence.name", Object::Integration, "named acceptance evidence of"),
    words("evidence.forget", Object::Integration, "asked no more for acceptance evidence of"),
    words("evidence.waive", Object::Integration, "waived acceptance evidence of"),
    words("evidence.unwaive", Object::Integration, "took back a waiver of acceptance evidence of"),
];

/// The words of an action, if it is known here.
pub fn of(action: &str) -> Option<&'static Words> {
    ALL.iter().find(|words| words.action == action)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_action_of_the_source_has_words() {
        let mut found = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let known: BTreeSet<_> = ALL.iter().map(|words| words.action.to_owned()).collect();
        assert_eq!(known.len(), ALL.len(), "an action stands twice");
        let missing: Vec<_> = found.difference(&known).collect();
        let gone: Vec<_> = known.difference(&found).collect();
        assert!(missing.is_empty() && gone.is_empty(), "without words: {missing:?}; no longer done: {gone:?}");
    }

    /// Texts of the form `object.verb` in files that write the trail, tests left out.
    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && !["tests.rs", "testing.rs", "words.rs"].contains(&name.as_str())
            {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                if code.contains("audit::") {
                    let parts: Vec<_> = code.split('"').collect();
                    // every second part stands between quotes; what is only called so is no action
                    let quoted = parts.chunks_exact(2).filter(|pair| !pair[0].trim_end().ends_with("name:"));
                    found.extend(quoted.map(|pair| pair[1]).filter(|text| is_action(text)).map(str::to_owned));
                }
            }
        }
    }

    fn is_action(text: &str) -> bool {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
        text.split_once('.').is_some_and(|(object, verb)| part(object) && part(verb))
    }

    #[test]
    fn only_the_form_of_an_action_is_one() {
        assert!(is_action("event-type.create") && is_action("token.roll"));
        for not in ["order.json.gz", "token", "Token.roll", "a.", ".b", "tokens.id = $1"] {
            assert!(!is_action(not), "{not}");
        }
    }
}
