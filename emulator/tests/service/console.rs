//! The console as HTTP sees it; `tests/suites/console` shows it to a browser.

use rolesanywhere_emulator::{Request, Service};

use crate::{accepted::accept, client::pair, lab::lab, pki::Certificate};

fn browser() -> Request {
    Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: vec![
            pair("Host", "localhost:8443"),
            pair("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ],
        peer: Some("127.0.0.1".parse().unwrap()),
        ..Request::default()
    }
}

#[test]
fn the_page_shows_what_there_is_and_why_calls_were_refused() {
    let lab = lab();
    let service = lab.service();
    accept(&service, &lab.call().sign(&lab.leaf));
    let of_other = Certificate::leaf("/CN=stranger").signed_by(&lab.other_root);
    service.handle(&lab.call_of(&of_other, "root").sign(&of_other), lab.now);
    let page = service.handle(&browser(), lab.now);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let text = page.text();
    for shown in [
        "CN=Lab Root",
        "CN=stranger",
        "Untrusted signing certificate",
        "no path to the trust anchor <code>root</code>",
        "arn:aws:sts::123456789012:assumed-role/app/61d5692c0a7b",
        ":alias/trust-anchor/team/root",
        "role/team/blue/pathed",
        "<html lang=\"en\">",
        "<caption>",
        "Skip to the content",
    ] {
        assert!(text.contains(shown), "{shown}");
    }
    // Looking leaves no trace in the log.
    assert_eq!(service.audit_records().len(), 2);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[test]
fn hostile_names_have_no_force() {
    let lab = lab();
    let service = lab.service();
    let name = "<img src=x onerror=alert(1)>\"'&";
    let leaf = Certificate::leaf(&format!("/CN={name}")).signed_by(&lab.other_root);
    service.handle(&lab.call_of(&leaf, "root").sign(&leaf), lab.now);
    let text = service.handle(&browser(), lab.now).text();
    assert!(!text.contains("<img"), "markup of a certificate");
    assert!(text.contains("&lt;img src"), "the name itself");
}

#[test]
fn only_this_machine_by_its_own_name_sees_it() {
    let service = lab().service();
    let answer = |request: &Request, service: &Service| service.handle(request, lab().now).status;
    let with_host = |host: &str| {
        let mut request = browser();
        request.headers[0] = pair("host", host);
        request
    };
    assert_eq!(answer(&browser(), &service), 200);
    assert_eq!(answer(&with_host("attacker.example"), &service), 403);
    let mut remote = browser();
    remote.peer = Some("192.0.2.1".parse().unwrap());
    assert_eq!(answer(&remote, &service), 403);
    assert!(
        !service
            .handle(&remote, lab().now)
            .text()
            .contains("Lab Root")
    );
    let mut config = lab().config();
    config.settings.console_hosts = vec!["emulator.test".to_owned()];
    let open = Service::new(&config).unwrap();
    let mut named = with_host("emulator.test:443");
    named.peer = Some("192.0.2.1".parse().unwrap());
    assert_eq!(answer(&named, &open), 200);
    assert_eq!(answer(&remote, &open), 403);
}

#[test]
fn sts_still_answers_at_the_same_place() {
    let service = lab().service();
    let mut request = browser();
    request.target = "/?Action=GetCallerIdentity&Version=2011-06-15".to_owned();
    let response = service.handle(&request, lab().now);
    assert_eq!(response.status, 403);
    assert_eq!(service.audit_records()[0].operation, "GetCallerIdentity");
}
