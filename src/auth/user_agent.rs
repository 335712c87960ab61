//! Browsers by name: enough to tell one's own sessions apart, and never trusted.

/// What to look for, and what it is called. The first that is found counts: most browsers also claim to be others.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// Programs that send, and what they are called. The first that is found counts.
const PROGRAMS: [(&str, &str); 20] = [
    ("python-requests", "Python (requests)"),
    ("python-httpx", "Python (httpx)"),
    ("aiohttp", "Python (aiohttp)"),
    ("Python-urllib", "Python (urllib)"),
    ("GuzzleHttp", "PHP (Guzzle)"),
    ("Symfony", "PHP (Symfony)"),
    ("axios/", "Node (axios)"),
    ("node-fetch", "Node (node-fetch)"),
    ("undici", "Node (undici)"),
    ("Go-http-client", "Go"),
    ("okhttp", "Java (OkHttp)"),
    ("Apache-HttpClient", "Java (Apache HttpClient)"),
    ("Java-http-client", "Java"),
    ("RestSharp", ".NET (RestSharp)"),
    ("PostmanRuntime", "Postman"),
    ("insomnia", "Insomnia"),
    ("PowerShell", "PowerShell"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("PHP", "PHP"),
];

/// The family of what sends, without its version: `curl`, `Python (requests)`, `Firefox on Linux`.
pub fn family(user_agent: &str) -> String {
    if let Some((_, name)) = PROGRAMS.iter().find(|(mark, _)| user_agent.contains(mark)) {
        return (*name).into();
    }
    if BROWSERS.iter().any(|(mark, _)| user_agent.contains(mark)) {
        return shorten(user_agent);
    }
    // whoever else sends calls itself by name and version as a rule
    let name = user_agent.split(['/', ' ', '(']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    if name.is_empty() { "Unnamed".into() } else { name }
}

/// A browser in a few words: `Firefox on Linux`.
pub fn shorten(user_agent: &str) -> String {
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.into(),
        (None, _) if user_agent.is_empty() => "Unknown browser".into(),
        (None, _) => user_agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{family, shorten};

    #[test]
    fn browsers_are_called_by_their_names() {
        let cases = [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.14.1", "curl/8.14.1"),
            ("", "Unknown browser"),
        ];
        for (whole, short) in cases {
            assert_eq!(shorten(whole), short);
        }
    }
    #[test]
    fn senders_are_called_by_their_family() {
        for (whole, name) in [
            ("curl/8.14.1", "curl"),
            ("python-requests/2.32.3", "Python (requests)"),
            ("GuzzleHttp/6.5 curl/7.68 PHP/7.4", "PHP (Guzzle)"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621", "PowerShell"),
            ("tributary/0.1.0", "tributary"),
            ("CM.Cdp.Events.Sdk/1.0.1.1 (.NET)", "CM.Cdp.Events.Sdk"),
            ("", "Unnamed"),
            ("/1", "Unnamed"),
        ] {
            assert_eq!(family(whole), name);
        }
        assert_eq!(family(&"x".repeat(300)).len(), 40);
    }
}
