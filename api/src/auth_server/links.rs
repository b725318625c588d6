//! Where people are led: links in mails, and the places they come back to.

use url::Url;

/// Knows where links may lead.
#[derive(Clone, Debug)]
pub struct Links {
    /// `{public address}/auth/v1`.
    base: String,
    site: Url,
    allowed: Vec<String>,
}

impl Links {
    pub fn new(base: String, site: Url, allowed: Vec<String>) -> Self {
        Self { base, site, allowed }
    }

    /// The wanted place if it is the site's own or on the list, else the site.
    pub fn redirect(&self, wanted: Option<&str>) -> String {
        wanted.and_then(|wanted| self.allowed(wanted)).unwrap_or_else(|| self.site.to_string())
    }

    fn allowed(&self, wanted: &str) -> Option<String> {
        if wanted.len() > 2048 {
            return None;
        }
        // What is compared is what the browser will be sent: the parsed form, not the text.
        let mut url = Url::parse(wanted).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        url.set_fragment(None);
        let web = matches!(url.scheme(), "http" | "https");
        let own = web
            && url.host().is_some()
            && url.host() == self.site.host()
            && url.port_or_known_default() == self.site.port_or_known_default()
            && (url.scheme() == self.site.scheme() || url.scheme() == "https");
        let text = url.as_str();
        let listed = !matches!(url.scheme(), "javascript" | "data" | "file" | "blob" | "vbscript")
            && self
                .allowed
                .iter()
                .any(|pattern| glob(pattern.as_bytes(), text.as_bytes()) || glob(pattern.as_bytes(), trimmed(text)));
        (own || listed).then(|| text.to_owned())
    }

    /// The link of a mail. Where it is to lead to the dashboard's page for links, it leads there at once: a press there spends
    /// the token by `POST /verify`. `GET /verify` would be spent by programs that open the links in mails to judge them.
    pub fn letter(&self, token_hash: &str, kind: &str, redirect_to: &str) -> String {
        let page = format!("{}/auth/confirm", self.site.path().trim_end_matches('/'));
        let place = match Url::parse(redirect_to) {
            // Nobody has asked by whom it could be finished: the dashboard does.
            Ok(mut place) if kind == "invite" && place == self.site => {
                place.set_path(&page);
                Some(place)
            }
            Ok(place) if place.origin() == self.site.origin() => {
                let rest = place.path().strip_prefix(&page);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')).then_some(place)
            }
            _ => None,
        };
        place.map_or_else(
            || self.action(token_hash, kind, redirect_to),
            |place| with_query(place.as_str(), &[("token_hash", token_hash), ("type", kind)]),
        )
    }

    /// The link that `GET /verify` answers, as GoTrue makes it.
    pub fn action(&self, token_hash: &str, kind: &str, redirect_to: &str) -> String {
        let query = form([("token", token_hash), ("type", kind), ("redirect_to", redirect_to)]);
        format!("{}/verify?{query}", self.base)
    }
}

/// Without the slash that parsing puts behind a bare host.
fn trimmed(text: &str) -> &[u8] {
    text.strip_suffix('/').unwrap_or(text).as_bytes()
}

/// `*`: any run without `.` and `/`; `**`: any run; `?`: one character but those. As GoTrue's URI_ALLOW_LIST. Takes time in
/// proportion to both lengths, whatever the text.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let separator = |byte: u8| byte == b'.' || byte == b'/';
    // reached[n]: the pattern so far matches the first n bytes.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((&byte, more)) = rest.split_first() {
        let any = byte == b'*' && more.first() == Some(&b'*');
        rest = if any { &more[1..] } else { more };
        let mut next = vec![false; text.len() + 1];
        for n in 0..=text.len() {
            let last = n.checked_sub(1).map(|before| (text[before], before));
            next[n] = match byte {
                b'*' => reached[n] || last.is_some_and(|(c, before)| next[before] && (any || !separator(c))),
                b'?' => last.is_some_and(|(c, before)| reached[before] && !separator(c)),
                _ => last.is_some_and(|(c, before)| reached[before] && c == byte),
            };
        }
        reached = next;
    }
    reached[text.len()]
}

/// Pairs as `application/x-www-form-urlencoded`.
pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A place with a fragment; scripts there read it, servers never see it.
pub fn with_fragment(place: &str, fragment: &str) -> String {
    let place = place.split_once('#').map_or(place, |(before, _)| before);
    format!("{place}#{fragment}")
}

/// A place with further query parameters.
pub fn with_query(place: &str, pairs: &[(&str, &str)]) -> String {
    match Url::parse(place) {
        Ok(mut url) => {
            url.query_pairs_mut().extend_pairs(pairs);
            url.into()
        }
        Err(_) => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_led_to_known_places_only() {
        let links = Links::new(
            "https://heimdex.example/auth/v1".into(),
            "https://heimdex.example/app".parse().unwrap(),
            vec!["http://localhost:5173/**".into(), "https://*.example.org/back".into(), "heimdex://home".into()],
        );
        let site = "https://heimdex.example/app";
        let table = [
            ("https://heimdex.example/app/reset?x=1#gone", "https://heimdex.example/app/reset?x=1"),
            ("https://heimdex.example", "https://heimdex.example/"),
            ("http://localhost:5173/a/b.c", "http://localhost:5173/a/b.c"),
            ("https://one.example.org/back", "https://one.example.org/back"),
            ("heimdex://home", "heimdex://home"),
            // Everything else leads to the site.
            ("http://heimdex.example/app", site),
            ("https://heimdex.example:8443/app", site),
            ("https://heimdex.example.evil.example/app", site),
            ("https://heimdex.example@evil.example/", site),
            ("https://user:word@heimdex.example/", site),
            ("https://evil.example/?u=https://heimdex.example/", site),
            ("https://a.b.example.org/back", site),
            ("https://one.example.org/back/further", site),
            ("//evil.example/app", site),
            ("/app/reset", site),
            ("https:\\\\evil.example\\app", site),
            ("javascript:alert(1)//heimdex.example", site),
            ("data:text/html,x", site),
            ("", site),
        ];
        for (wanted, led) in table {
            assert_eq!(links.redirect(Some(wanted)), led, "{wanted}");
        }
        assert_eq!(links.redirect(None), site);
    }

    #[test]
    fn mails_for_the_dashboard_lead_to_its_page_for_links() {
        let links = |site: &str| Links::new("https://h.example/auth/v1".into(), site.parse().unwrap(), vec![]);
        let app = links("https://h.example/app");
        let letter = |kind: &str, redirect_to: &str| app.letter("ab", kind, redirect_to);
        let page = "https://h.example/app/auth/confirm";
        assert_eq!(letter("signup", page), format!("{page}?token_hash=ab&type=signup"));
        assert_eq!(
            letter("magiclink", &format!("{page}/magiclink?next=%2Fapp%2Fsearch")),
            format!("{page}/magiclink?next=%2Fapp%2Fsearch&token_hash=ab&type=magiclink")
        );
        assert_eq!(letter("invite", "https://h.example/app"), format!("{page}?token_hash=ab&type=invite"));
        assert_eq!(
            links("https://h.example").letter("ab", "invite", "https://h.example/"),
            "https://h.example/auth/confirm?token_hash=ab&type=invite"
        );
        for elsewhere in
            ["https://h.example/app", "https://h.example/app/auth/confirmed", "https://o.example/app/auth/confirm"]
        {
            assert!(
                letter("signup", elsewhere).starts_with("https://h.example/auth/v1/verify?token=ab&type=signup&"),
                "{elsewhere}"
            );
        }
    }

    #[test]
    fn a_fragment_replaces_another() {
        assert_eq!(with_fragment("https://x.example/a#b", "c=d"), "https://x.example/a#c=d");
        assert_eq!(with_query("https://x.example/a?b=c", &[("code", "e f")]), "https://x.example/a?b=c&code=e+f");
    }
}
