//! Expected values from `date -u -d @N`.

use super::*;

#[test]
fn writes_every_form() {
    let t = UnixTime::from_seconds(1_720_265_939);
    assert_eq!(t.to_sigv4(), "20240706T113859Z");
    assert_eq!(t.to_sigv4_date(), "20240706");
    assert_eq!(t.to_iso8601(), "2024-07-06T11:38:59Z");
    assert_eq!(UnixTime::MIN.to_iso8601(), "0000-01-01T00:00:00Z");
    assert_eq!(UnixTime::MAX.to_sigv4(), "99991231T235959Z");
}

#[test]
fn reads_every_form() {
    let t = UnixTime::from_seconds(1_720_265_939);
    assert_eq!(UnixTime::from_sigv4("20240706T113859Z").unwrap(), t);
    for text in [
        "2024-07-06T11:38:59Z",
        "2024-07-06T11:38:59.123456Z",
        "2024-07-06T13:38:59+02:00",
        "2024-07-06T07:08:59-04:30",
    ] {
        assert_eq!(UnixTime::from_iso8601(text).unwrap(), t, "{text}");
    }
    assert_eq!(
        UnixTime::from_http_date("Sat, 06 Jul 2024 11:38:59 GMT").unwrap(),
        t
    );
}

#[test]
fn refuses_everything_else() {
    for text in [
        "",
        "20240706T113859",
        "20240706t113859Z",
        "20241306T113859Z",
        "20240230T113859Z",
        "20240706T246060Z",
        "2024070\u{0661}T11385Z",
        "+2024706T113859Z",
    ] {
        assert_eq!(
            UnixTime::from_sigv4(text).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
    for text in [
        "2024-07-06T11:38:59",
        "2024-07-06 11:38:59Z",
        "2024-07-06T11:38:59.Z",
        "2024-07-06T11:38:59+2:00",
        "2024-07-06T11:38:59+24:00",
        "2024-07-06T11:38:59ZZ",
    ] {
        assert!(UnixTime::from_iso8601(text).is_err(), "{text}");
    }
    for text in [
        "Sat, 06 Jul 2024 11:38:59 UTC",
        "Saturday, 06-Jul-24 11:38:59 GMT",
        "Sat Jul  6 11:38:59 2024",
        "Xyz, 06 Jul 2024 11:38:59 GMT",
        "Sat, 06 Jul 2024 11:38:59é GMT",
        "Sat, 0\u{e9} Jul 2024 11:38:59 GMT",
    ] {
        assert!(UnixTime::from_http_date(text).is_err(), "{text}");
    }
}

#[test]
fn arithmetic_stays_within_bounds() {
    assert_eq!(UnixTime::MAX.plus_seconds(i64::MAX), UnixTime::MAX);
    assert_eq!(UnixTime::MIN.plus_seconds(i64::MIN), UnixTime::MIN);
    let t = UnixTime::from_seconds(100);
    assert_eq!(t.plus_seconds(-40).seconds_since(t), -40);
}
