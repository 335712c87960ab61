//! The guide: what integrating means, in the words of whoever reads it. Anybody may read it, a customer who came by a
//! link too: it says nothing of anybody.
use axum::{
    extract::{RawPathParams, State},
    response::Response,
};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{Role, Session},
    error::{Error, Result},
    form::shown,
    tenants,
    ui::{self, Card, Frame, PageHeader, Prose, Section, Step, StepState, Steps, Tab, Tabs},
};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    SuccessManagers,
    Consultants,
    AccountManagers,
    Customers,
}
use Audience::{AccountManagers, Consultants, Customers, SuccessManagers};

impl Audience {
    const ALL: [Self; 4] = [SuccessManagers, Consultants, AccountManagers, Customers];

    fn key(self) -> &'static str {
        match self {
            SuccessManagers => "success-managers",
            Consultants => "consultants",
            AccountManagers => "account-managers",
            Customers => "customers",
        }
    }

    fn title(self) -> &'static str {
        match self {
            SuccessManagers => "Success managers",
            Consultants => "Consultants",
            AccountManagers => "Account managers",
            Customers => "Customers",
        }
    }

    fn of(role: Option<Role>) -> Self {
        match role {
            Some(Role::SuccessManager) => SuccessManagers,
            Some(Role::AccountManager) => AccountManagers,
            Some(Role::Administrator | Role::Consultant) => Consultants,
            Some(Role::Customer) | None => Customers,
        }
    }
}

/// Shows it, for whoever reads or for whom the address names.
pub(super) async fn show(State(app): State<App>, session: Option<Session>, params: RawPathParams) -> Result<Response> {
    let named = params.iter().find(|(name, _)| *name == "audience").map(|(_, value)| value.to_owned());
    let audience = match named {
        Some(key) => Audience::ALL.into_iter().find(|one| one.key() == key).ok_or(Error::NotFound("guide"))?,
        None => Audience::of(session.as_ref().map(|session| session.actor.role)),
    };
    let path = format!("/guide/{}", audience.key());
    let frame = match &session {
        Some(session) => tenants::frame(&app, session, session.actor.tenant, Section::Guide, path.as_str()).await?,
        None => Frame {
            active: Section::Nowhere,
            path: path.clone(),
            css: ui::assets::css_path().into(),
            boot: ui::assets::boot_path().into(),
            now: app.clock.now(),
            ..Frame::default()
        },
    };
    Ok(shown(page(&frame, &path, audience)))
}

fn page(frame: &Frame, path: &str, audience: Audience) -> String {
    let tabs = Audience::ALL.iter().map(|one| Tab::new(one.title(), format!("/guide/{}", one.key()))).collect();
    let body = view! {
        <PageHeader title="From a need to a live integration" lead="What we ask, what we promise, and what happens when."/>
        <Tabs label="For whom" tabs=tabs current=path.to_owned()/>
        {beginning(audience)}
        {ways(audience)}
        {needs(audience)}
        {scenarios(audience)}
        {following(audience)}
        {afterwards(audience)}
        {quotation(audience)}
        {implementation(audience)}
        {live(audience)}
    };
    ui::page(frame, "Guide", Vec::new(), body.into_any())
}

fn card(id: &'static str, title: &'static str, paragraphs: Vec<&'static str>) -> AnyView {
    let words = paragraphs.into_iter().map(|words| view! { <p>{words}</p> }).collect_view();
    view! { <ui::Anchor id=id><Card title=title><Prose>{words}</Prose></Card></ui::Anchor> }.into_any()
}

fn beginning(audience: Audience) -> AnyView {
    let words = match audience {
        SuccessManagers => vec![
            "A customer tells you what they want to be able to do. Begin an integration in their tenant: one need, one external system. You need no technical answer to begin, only the need in their words and the name of the system.",
            "While you type, you see what became of earlier intakes of the same system. Often half of the work is done.",
        ],
        Consultants => vec![
            "An integration begins as a conversation and ends as event types, tokens and polling sources. What you find out on the way stays with it: the check list, the evidence and the answers are what the configuration is made from later.",
            "Trust what was seen above what was said. A sample payload takes a minute and often answers what a meeting does not.",
        ],
        AccountManagers => vec![
            "Before anything is promised or priced, an intake finds out two things: whether it is technically possible, and whether it gives the customer what they need. You see at any moment where it stands and whose turn it is.",
            "A price follows only from the third scenario, or from an investigation that ended well. So what you quote is what can be delivered.",
        ],
        Customers => vec![
            "You want something to happen with data that live in another system: a web shop, a ticketing system, a CRM. We find out together whether that can work, before anybody spends money on it.",
            "We ask you questions about the need, the system and the data. You need not know all the answers, and you may pass the link on to whoever knows the system: what is not answered, we find out.",
        ],
    };
    card("beginning", "How it begins", words)
}

fn ways(audience: Audience) -> AnyView {
    let words = match audience {
        Customers => vec![
            "Their system sends to us. Whenever something happens, it posts a message in JSON to an address that we give you, together with a secret. Many systems call this a webhook. It is the quickest way: we know within a second.",
            "We ask their system. Every few minutes we fetch what is new since the last time. For that the system must answer a plain request (HTTP GET) with a fixed key, let us name a span of time, and answer in JSON.",
            "One of the two is enough. If neither works, there may be a way through a third system, and that is a question of its own.",
        ],
        SuccessManagers | AccountManagers => vec![
            "Their system sends to us: it posts JSON to an address that we give it, with a token in a header or in the address. Ask for “webhooks”. What happens is known within a second.",
            "We ask their system: it answers an HTTP GET with a static token, lets us name a window of time in the address, and answers in JSON. Ask for “a REST API with an API key and a changed-since filter”. What happens is known within minutes.",
            "One whole way is enough. A system that can only mail files or only signs in people by a browser has neither, and the answer is no, or at least not yet.",
        ],
        Consultants => vec![
            "Push: POST with a JSON body to the address of an event type, and a token in the header X-CM-PRODUCTTOKEN, as a bearer, or in the query. Both are needed. Headers that cannot be set are no obstacle; a body that is no JSON is.",
            "Pull: GET with a static token, a time window in query parameters and a JSON body. All four are needed. OAuth with a refresh token is no static token; look for private applications or personal access tokens first. Check that the window is honoured: two different windows must give two different answers.",
            "Either way every record has to say whom it is about, and had better have an id that never changes: without the one it belongs to nobody, without the other it is counted twice.",
        ],
    };
    card("ways", "The two ways of connecting", words)
}

fn needs(audience: Audience) -> AnyView {
    let words = match audience {
        SuccessManagers => vec![
            "Six short sections: the need and its value, the system and who knows it, the data, the identifiers, the timing, and privacy. Fill in what you know; send the customer a link for the rest. The link needs no account, opens this intake and nothing else, and can be taken back.",
            "Then two verdicts, each by somebody who stands for it. The need is usually yours to judge; the technical one a consultant's. An honest “unsure”, with the questions that make it so, is worth more than a hopeful yes.",
        ],
        Consultants => vec![
            "The check list follows the two ways of connecting and proposes the technical verdict. Paste sample payloads: the fill rate of the identifying field and a contract are proposed, and the samples are not kept. Or open a temporary endpoint, let their system send to it, and take what came in as evidence. Where it is to be asked, probe it: with an address and a token, a few GETs show whether it looks at a window of time and whether records keep their numbers.",
            "Write open questions one a line: when the scenario is an investigation, they are what it begins with.",
        ],
        AccountManagers => vec![
            "The need with its value, the system with somebody who knows it, samples of the data, what identifies a person, how fresh it must be, and on what legal ground the data may be used. The value is the part that only you and the success manager can bring.",
            "Nothing is missing that matters when both verdicts are given. You may read all of it; payloads with personal data stay with the consultants.",
        ],
        Customers => vec![
            "Your need, in your own words, and how you will see that it works. Who knows the system. Which records it holds, and how many. What in a record says whom it is about, such as an e-mail address. How soon it must be known. And on what ground the data may be used.",
            "If you can, a few sample records in JSON. We look at which fields there are and how often they are filled in; the samples themselves are not kept.",
        ],
    };
    card("intake", "What an intake needs", words)
}

fn scenarios(audience: Audience) -> AnyView {
    let words = match audience {
        Customers => vec![
            "Not possible. It cannot be done, or it would not bring what you need. You get the reason, and it costs you nothing more.",
            "An investigation. It is likely, but something has to be found out first. You agree on a number of hours and a date; you get a report with what was asked and what was found. A quotation may follow.",
            "Possible. We are sure that it works, for what we talked about, and you get a quotation. If you accept, we help you to make it work.",
        ],
        SuccessManagers => vec![
            "A no to either question means not possible, and the reason is written for the customer to read. Unsure means an investigation: a time box, a date, questions. Two yes mean possible, guaranteed: a quotation for the scope that was discussed.",
            "You can choose otherwise than the verdicts say, with a reason in writing; it stands on the timeline for everybody to see. What was not possible can be reopened when something has changed.",
        ],
        AccountManagers => vec![
            "Not possible: there is nothing to sell, and a good reason to tell. Investigation: a small project with a fixed number of hours, sold as such; it ends in a report. Possible: a quotation for the scope that was discussed, and a promise that it works.",
            "Nobody reaches the stage of a quotation by another way than two yes or a concluded investigation, unless somebody wrote down why.",
        ],
        Consultants => vec![
            "The scenario follows from the verdicts: a no anywhere is not possible, unsure is an investigation, two yes are possible. “Possible” is a guarantee: say yes to the technical question when you have seen it, or would bet on it.",
            "An investigation ends possible when its questions are answered. Conclude early when the first answer is a clear no: the time box is a limit, not a target.",
        ],
    };
    card("scenarios", "What the three scenarios mean", words)
}

fn following(audience: Audience) -> AnyView {
    let words = match audience {
        Customers => vec![
            "You see at any time how far your integration is, whose turn it is, and what comes next. What we need from you stands there as tasks: tick one, or answer it with words or a file. Our questions about your system are there too. Once it is live, you see in plain words how it fares.",
            "Sign in, if you have an account: you see all your integrations, and what was quoted. Or open the link that we send you: it shows one integration, without an account and without prices.",
            "The link can be opened once, and then you come back with the same browser until the day that it says. Do not pass it on: what is done with it carries your name. If it does not work any more, ask for a new one. If you think that somebody else has it, tell us, and it is shut at once.",
        ],
        SuccessManagers | AccountManagers => vec![
            "In the portal the customer sees each integration with its stage in plain words, whose turn it is and what is next, answers our questions, and does the tasks of their side. Who has an account sees all of their own, and their quotations.",
            "For somebody without an account, make a link on the page of the integration, under “What the customer sees”: it is for one person and one integration, for as many days as you say, shows no prices, and can be taken back at any time. Opening it uses it up, so give everybody their own.",
        ],
        Consultants => vec![
            "“See it as the customer” shows the portal as they see it; that you looked stands in the audit trail. Write tasks and next steps in words that they understand: they read them there.",
            "Whoever has no account follows one integration by a link, which you make under “What the customer sees”. What they answer and upload stands on the timeline with their name and “by link”. A task that was answered cannot be removed any more.",
        ],
    };
    card("portal", "What the customer sees", words)
}

fn afterwards(audience: Audience) -> AnyView {
    let us = if audience == Customers { "We" } else { "You" };
    let quotation =
        if audience == Customers { "You accept it, or you do not." } else { "The customer accepts it, or does not." };
    let intake = if audience == Customers {
        "You answer our questions, by a link, whenever you have time."
    } else {
        "The questions are answered, here or by a link; two verdicts follow."
    };
    view! {
        <ui::Anchor id="next">
            <Card title="What happens next">
                <Steps label="From the intake to live">
                    <Step state=StepState::Ahead title="Intake"><p>{intake}</p></Step>
                    <Step state=StepState::Ahead title="Scenario"><p>{format!("{us} choose one of the three, and say why.")}</p></Step>
                    <Step state=StepState::Ahead title="Investigation, if something is open"><p>"Its questions are answered within a time box, and there is a report."</p></Step>
                    <Step state=StepState::Ahead title="Quotation"><p>{quotation}</p></Step>
                    <Step state=StepState::Ahead title="Implementation"><p>"It is set up, tried with real data, and held against what was agreed."</p></Step>
                    <Step state=StepState::Ahead title="Live"><p>"Events come in by themselves, and somebody notices when they do not."</p></Step>
                </Steps>
            </Card>
        </ui::Anchor>
    }
    .into_any()
}

fn quotation(audience: Audience) -> AnyView {
    let words = match audience {
        SuccessManagers => vec![
            "A quotation says what is done, by whom, in how many hours and for how much, what it supposes and what it leaves out. Its first draft begins with what the intake found out. You may draft, send and withdraw. What comes to more than a set amount is first approved by an administrator or an account manager who has not written it.",
            "Once it is sent, it stands as it is. To change anything, send a new version, which takes its place. Customers with an account find it in their portal; make a link for anybody else. The owner is told of the answer. After a no, send a better version, or close the integration as lost and say why.",
        ],
        Consultants => vec![
            "You draft: a line for each work package, with its role, its hours, and whether it is a fixed price. What the verdicts and the investigation left open becomes what the quotation supposes; look through it, since that is what you will build on. Sending is for a success or account manager.",
            "Write lines as you will build them. Each becomes a phase of the implementation with its hours, and each should leave something that can be seen in live data. What is wanted later is a change order: it adds to what was accepted and leaves that as it is.",
        ],
        AccountManagers => vec![
            "You may draft, approve, send and withdraw. What comes to more than the amount that is set for its currency is approved by somebody who has neither written it nor asked for the approval. Home says what waits for yours.",
            "VAT is computed for each rate, on what is left after the discount. Versions are numbered, and each says how it differs from the one before. What was sent is frozen, and the digest of it stands on every page of the PDF, so that anybody can be told whether a file is what was accepted. A quotation expires by itself at the end of its last day.",
        ],
        Customers => vec![
            "A quotation names the work, the hours and the price, what it supposes and what it leaves out. You find it under Quotations when you are signed in, or by a link that can be used once and then goes on in the same browser. What you see does not change any more, and is there as a PDF too.",
            "To accept takes your name, your role and a tick; the time and your address are kept with them. To decline, say what would have to be different: we read it, and you may get a better version. If you do nothing, it expires on the day that stands on it.",
        ],
    };
    card("quotation", "What a quotation is, and who answers it", words)
}

fn implementation(audience: Audience) -> AnyView {
    let words = match audience {
        SuccessManagers => vec![
            "Accepting begins the implementation in the same moment: phases and tasks come from the lines, and from what the intake left open. You see whose turn it is, since when, and by when. When it is the customer's, you know whom to call, and about what.",
            "It goes live when what was agreed is seen in live data, and not when somebody says so. What cannot be seen in time may be waived by an administrator or an account manager, with a reason that stands on the timeline.",
        ],
        Consultants => vec![
            "Drafts of event types, tokens and polling sources lie ready, made from samples, check list and probe. One button turns a draft into the real thing, ticks its task and moves the turn on. A token is shown once: hand it over by a way that you would trust with a password.",
            "Acceptance evidence is measured whenever somebody looks: so many events accepted, few rejected for some days, a ledger that is complete, a field that is filled in. Name some for every line. You take it live when all of it is there, or was waived by somebody who does not build it. Write down time by phase: it stands against what was quoted.",
        ],
        AccountManagers => vec![
            "From here on, the hours that were quoted stand against those that are spent, line by line. What is wanted beyond them is a change order: a further version with its own approval and its own answer, which leaves what was accepted as it is.",
            "You may waive acceptance evidence, with a reason; who builds it may not. A waiver is read again later: say what makes you sure.",
        ],
        Customers => vec![
            "We set it up. Under Integrations you see how far it is, whose turn it is, and what is next. What we need from you stands there as tasks: tick them, or answer with words or a file. Often it is one setting in your system, with an address and a token that we hand to you.",
            "It goes live when real data have been seen to arrive as agreed: enough of them, hardly any that do not fit, and with the field filled in that says whom they are about.",
        ],
    };
    card("implementation", "How it is built, and when it goes live", words)
}

fn live(audience: Audience) -> AnyView {
    let words = match audience {
        SuccessManagers => vec![
            "Whoever is responsible is told when events fail, or stay away. What was found out stays for the next intake of the same system: the check list, the hours, and how it ended.",
        ],
        Consultants => vec![
            "What was measured is kept with the integration when it goes live. From then on its rhythm, its rejections and its ledger are watched, and alerts are raised. The customer sees in plain words how it fares and which fields do not fit, without what stands in events.",
            "What has had its time is retired, with a reason. Nothing is deleted by that, and events go on until somebody disables their type.",
        ],
        AccountManagers => vec![
            "The board shows what stands at which stage, how long, and what it is worth; the funnel how many get how far, and how long it takes; the export all of it as a file. While the next intake of a system is typed, you see what became of the earlier ones, with hours quoted and spent.",
        ],
        Customers => vec![
            "Under Integrations it says in plain words how it fares: working, waiting for first data, delayed, or failing, with why, and what you can do about it; and the last 90 days, a bar a day. What does not fit is kept aside and not lost: it can be mended.",
            "You can share a status page by a link, which shows how one integration fares and nothing else; it may stand in a frame of your own pages.",
        ],
    };
    card("live", "What you see once it is live", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What pages link to: a question that arises is answered where the link leads, whoever reads.
    #[test]
    fn every_section_is_there_for_every_audience() {
        for audience in Audience::ALL {
            let page = page(&Frame::default(), "/guide", audience);
            for id in ["beginning", "ways", "intake", "scenarios", "next", "quotation", "implementation", "live"] {
                assert!(page.contains(&format!("id=\"{id}\"")), "{audience:?} {id}");
            }
        }
    }
}
