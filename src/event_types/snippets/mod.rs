//! What a sender can begin with: a program in its own language that posts a made-up event to the real address. What
//! comes out of a contract is written as a literal of that language, whatever characters it holds.
mod literal;
#[cfg(test)]
mod tests;

use std::{fmt::Write, str::FromStr};

use serde_json::Value;

use super::{EventType, sample::sample};
use literal::Literal;

/// Where programs find the token.
pub const VARIABLE: &str = "TRIBUTARY_TOKEN";

/// The languages that there are snippets for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// A shell.
    #[default]
    Curl,
    /// A browser, or Node from version 18.
    JavaScript,
    /// With the package requests.
    Python,
    /// With CM.com's package, and without.
    CSharp,
    /// With the extension curl.
    Php,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Curl, Self::JavaScript, Self::Python, Self::CSharp, Self::Php];

    /// As addresses spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::CSharp => "csharp",
            Self::Php => "php",
        }
    }

    /// As pages say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::CSharp => "C#",
            Self::Php => "PHP",
        }
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|language| language.word() == text).ok_or(())
    }
}

/// Where a request carries its token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Carried {
    /// In a header, as it should.
    #[default]
    Header,
    /// In the address, for senders that cannot set a header.
    Address,
}

/// A program, and what to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// What it is: "Python, with requests".
    pub label: &'static str,
    /// Its text.
    pub code: String,
    /// What it takes for granted.
    pub note: Option<&'static str>,
}

/// The programs that post a made-up event of this type to the server at `base`.
pub fn snippets(base: &str, event_type: &EventType, language: Language, carried: Carried) -> Vec<Snippet> {
    let event = sample(&event_type.details.contract, &event_type.details.unique_fields);
    let to = Target {
        base,
        tenant: event_type.tenant_id.to_string(),
        event_type: event_type.id.to_string(),
        event: &event,
        carried,
    };
    match language {
        Language::Curl => vec![to.curl()],
        Language::JavaScript => vec![to.javascript()],
        Language::Python => vec![to.python()],
        Language::CSharp if carried == Carried::Header => vec![to.csharp_sdk(), to.csharp()],
        Language::CSharp => vec![to.csharp()],
        Language::Php => vec![to.php()],
    }
}

/// A command that posts `event` to `endpoint`. `token` stands in double quotes: a variable, or a secret.
pub(super) fn curl(endpoint: &str, event: &Value, token: &str) -> String {
    format!(
        "curl -X POST {} \\\n  -H \"X-CM-PRODUCTTOKEN: {token}\" \\\n  -H 'Content-Type: application/json' \\\n  -d {}",
        in_shell(endpoint),
        in_shell(&json_of(event)),
    )
}

/// The address that events of a type are posted to.
pub(super) fn endpoint(base: &str, event_type: &EventType) -> String {
    format!("{base}/events/v1.0/tenants/{}/events/{}", event_type.tenant_id, event_type.id)
}

/// In one line when it is short.
fn json_of(event: &Value) -> String {
    let short = event.to_string();
    if short.len() <= 72 { short } else { serde_json::to_string_pretty(event).unwrap_or(short) }
}

/// Within single quotes the shell takes everything as it is, but the quote itself.
fn in_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What all programs do: post this there.
struct Target<'a> {
    base: &'a str,
    tenant: String,
    event_type: String,
    event: &'a Value,
    carried: Carried,
}

impl Target<'_> {
    fn endpoint(&self) -> String {
        format!("{}/events/v1.0/tenants/{}/events/{}", self.base, self.tenant, self.event_type)
    }

    /// The address up to where the token has its place.
    fn before_token(&self) -> String {
        format!("{}?X-CM-PRODUCTTOKEN=", self.endpoint())
    }

    fn by_header(&self) -> bool {
        self.carried == Carried::Header
    }

    fn curl(&self) -> Snippet {
        let code = if self.by_header() {
            curl(&self.endpoint(), self.event, &format!("${VARIABLE}"))
        } else {
            format!(
                "curl -X POST {}\"${VARIABLE}\" \\\n  -H 'Content-Type: application/json' \\\n  -d {}",
                in_shell(&self.before_token()),
                in_shell(&json_of(self.event))
            )
        };
        Snippet { label: "Shell, with curl", code, note: None }
    }

    fn javascript(&self) -> Snippet {
        let js = Literal::JAVASCRIPT;
        let (url, header) = if self.by_header() {
            (
                js.text(&self.endpoint()),
                format!(
                    "\n    \"X-CM-PRODUCTTOKEN\": process.env.{VARIABLE},\n    \"Content-Type\": \"application/json\",\n  "
                ),
            )
        } else {
            (
                format!("{} + encodeURIComponent(process.env.{VARIABLE})", js.text(&self.before_token())),
                " \"Content-Type\": \"application/json\" ".to_owned(),
            )
        };
        let code = format!(
            "const event = {};\n\nconst response = await fetch({url}, {{\n  method: \"POST\",\n  headers: {{{header}}},\n  body: JSON.stringify(event),\n}});\nif (!response.ok) {{\n  throw new Error(`${{response.status}} ${{await response.text()}}`);\n}}\nconsole.log(await response.json());\n",
            js.value(self.event, 0),
        );
        Snippet {
            label: "JavaScript module, with fetch",
            code,
            note: Some(
                "For Node 18 or later. In a browser everybody can read the token: allow anonymous events for the type instead, and name the page's origin in the settings of the tenant.",
            ),
        }
    }

    fn python(&self) -> Snippet {
        let python = Literal::PYTHON;
        let (url, token) = if self.by_header() {
            (self.endpoint(), format!("headers={{\"X-CM-PRODUCTTOKEN\": os.environ[\"{VARIABLE}\"]}}"))
        } else {
            (self.endpoint(), format!("params={{\"X-CM-PRODUCTTOKEN\": os.environ[\"{VARIABLE}\"]}}"))
        };
        let code = format!(
            "import os\n\nimport requests\n\nevent = {}\n\nresponse = requests.post(\n    {},\n    {token},\n    json=event,\n    timeout=30,\n)\nif not response.ok:\n    raise SystemExit(f\"{{response.status_code}} {{response.text}}\")\nprint(response.json())\n",
            python.value(self.event, 0),
            python.text(&url),
        );
        Snippet { label: "Python, with requests", code, note: Some("pip install requests") }
    }

    fn csharp_sdk(&self) -> Snippet {
        let csharp = Literal::CSHARP;
        let code = format!(
            "using System;\nusing System.Collections.Generic;\nusing System.Net.Http;\nusing CM.Cdp.Events.Sdk;\nusing CM.Cdp.Events.Sdk.Models;\n\nvar token = Guid.Parse(Environment.GetEnvironmentVariable(\"{VARIABLE}\")!);\nvar client = new CdpEventsClient(new HttpClient(), token, {});\n\nvar events = new[]\n{{\n    new ApiEvent\n    {{\n        EventTypeId = Guid.Parse(\"{}\"),\n        Event = {},\n    }},\n}};\nawait client.AddEvents(Guid.Parse(\"{}\"), events);\n",
            csharp.text(self.base),
            self.event_type,
            csharp.value(self.event, 2),
            self.tenant,
        );
        Snippet {
            label: "C#, with CM.Cdp.Events.Sdk",
            code,
            note: Some(
                "Written for version 1.0 of the package, whose key is a GUID: bring the token that the sender uses today. A token that was made here is no GUID, and goes with the program below.",
            ),
        }
    }

    fn csharp(&self) -> Snippet {
        let csharp = Literal::CSHARP;
        let token = format!("Environment.GetEnvironmentVariable(\"{VARIABLE}\")");
        let (url, header) = if self.by_header() {
            (csharp.text(&self.endpoint()), format!("request.Headers.Add(\"X-CM-PRODUCTTOKEN\", {token});\n"))
        } else {
            (format!("{} + Uri.EscapeDataString({token}!)", csharp.text(&self.before_token())), String::new())
        };
        let code = format!(
            "using System;\nusing System.Collections.Generic;\nusing System.Net.Http;\nusing System.Net.Http.Json;\n\nvar payload = {};\n\nusing var http = new HttpClient();\nusing var request = new HttpRequestMessage(HttpMethod.Post, {url})\n{{\n    Content = JsonContent.Create(payload),\n}};\n{header}using var response = await http.SendAsync(request);\nvar answer = await response.Content.ReadAsStringAsync();\nif (!response.IsSuccessStatusCode)\n{{\n    throw new InvalidOperationException($\"{{(int)response.StatusCode}} {{answer}}\");\n}}\nConsole.WriteLine(answer);\n",
            csharp.value(self.event, 0),
        );
        Snippet { label: "C#, with HttpClient", code, note: Some("For .NET 6 or later.") }
    }

    fn php(&self) -> Snippet {
        let php = Literal::PHP;
        let mut code = format!("<?php\n\n$event = {};\n\n", php.value(self.event, 0));
        let (url, header) = if self.by_header() {
            (php.text(&self.endpoint()), format!("        'X-CM-PRODUCTTOKEN: ' . getenv('{VARIABLE}'),\n"))
        } else {
            (format!("{} . rawurlencode(getenv('{VARIABLE}'))", php.text(&self.before_token())), String::new())
        };
        let _ = write!(
            code,
            "$request = curl_init({url});\ncurl_setopt_array($request, [\n    CURLOPT_POST => true,\n    CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 30,\n    CURLOPT_HTTPHEADER => [\n{header}        'Content-Type: application/json',\n    ],\n    CURLOPT_POSTFIELDS => json_encode($event, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION),\n]);\n$answer = curl_exec($request);\n$status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);\nif ($answer === false || $status >= 400) {{\n    throw new RuntimeException($status . ' ' . ($answer ?: curl_error($request)));\n}}\necho $answer, PHP_EOL;\n"
        );
        Snippet { label: "PHP, with curl", code, note: Some("For PHP 7.3 or later, with the extension curl.") }
    }
}
