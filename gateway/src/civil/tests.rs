//! Civil time where it is awkward: clocks set forward and back, days without a midnight, leap days, the ends of time.

use super::*;

fn utc(text: &str) -> Moment {
    Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
}

/// Reads `2026-03-29 02:30`.
fn civil(text: &str) -> CivilTime {
    let (date, time) = text.split_once(' ').unwrap();
    let date: Vec<&str> = date.split('-').collect();
    let (hour, minute) = time.split_once(':').unwrap();
    CivilTime {
        year: date[0].parse().unwrap(),
        month: date[1].parse().unwrap(),
        day: date[2].parse().unwrap(),
        hour: hour.parse().unwrap(),
        minute: minute.parse().unwrap(),
    }
}

fn day(text: &str) -> MonthDay {
    MonthDay::parse(text).unwrap()
}

fn shown(zone: &Zone, at: Moment) -> String {
    let local = zone.local(at);
    format!("{} {:02}:{:02}", local.date(), local.hour, local.minute)
}

#[test]
fn a_moment_is_shown_by_the_zones_clocks() {
    let zone = Zone::named("Europe/Bratislava");
    let winter = zone.local(utc("2026-03-29T00:59:59.999Z"));
    let summer = zone.local(utc("2026-03-29T01:00:00Z"));
    let expected = LocalTime { year: 2026, month: 3, day: 29, hour: 1, minute: 59, weekday: 7, offset_minutes: 60 };
    assert_eq!(winter, expected);
    assert_eq!(summer, LocalTime { hour: 3, minute: 0, offset_minutes: 120, ..expected });
    assert_eq!(zone.date(utc("2026-12-31T23:00:00Z")), "2027-01-01");
    assert_eq!(Zone::named("America/St_Johns").local(utc("2026-01-05T12:00:00Z")).offset_minutes, -210);
    assert_eq!(Zone::named("Asia/Kathmandu").local(utc("2026-01-05T12:00:00Z")).offset_minutes, 345);
}

#[test]
fn a_name_nobody_knows_is_utc() {
    let zone = Zone::named("Europe/Nowhere");
    assert_eq!(shown(&zone, utc("2026-07-01T10:00:00Z")), "2026-07-01 10:00");
    assert_eq!(zone.moment(civil("2026-07-01 10:00")), utc("2026-07-01T10:00:00Z"));
}

#[test]
fn a_civil_time_is_a_moment() {
    for name in ["Europe/Bratislava", "Europe/Prague"] {
        let zone = Zone::named(name);
        for (text, at) in [
            ("2026-01-15 09:00", "2026-01-15T08:00:00Z"),
            ("2026-07-15 09:00", "2026-07-15T07:00:00Z"),
            // Skipped: the clocks go from 01:59 to 03:00.
            ("2026-03-29 01:59", "2026-03-29T00:59:00Z"),
            ("2026-03-29 02:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
            ("2026-03-29 02:59", "2026-03-29T01:00:00Z"),
            ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29 03:01", "2026-03-29T01:01:00Z"),
            ("2027-03-28 02:30", "2027-03-28T01:00:00Z"),
            // Shown twice: they go from 02:59 to 02:00.
            ("2026-10-25 01:59", "2026-10-24T23:59:00Z"),
            ("2026-10-25 02:00", "2026-10-25T00:00:00Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
            ("2027-10-31 02:30", "2027-10-31T00:30:00Z"),
        ] {
            assert_eq!(zone.moment(civil(text)), utc(at), "{name} {text}");
        }
    }
}

#[test]
fn a_gap_of_half_an_hour_and_a_day_that_never_was() {
    let lord_howe = Zone::named("Australia/Lord_Howe");
    assert_eq!(lord_howe.moment(civil("2026-10-04 02:10")), utc("2026-10-03T15:30:00Z"));
    assert_eq!(shown(&lord_howe, utc("2026-10-03T15:30:00Z")), "2026-10-04 02:30");
    let apia = Zone::named("Pacific/Apia");
    let after = utc("2011-12-30T10:00:00Z");
    assert_eq!(apia.moment(civil("2011-12-30 15:00")), after);
    assert_eq!(shown(&apia, after), "2011-12-31 00:00");
    assert_eq!(apia.days_later(utc("2011-12-29T22:00:00Z"), 1), after);
    assert_eq!(apia.end_of_day(utc("2011-12-29T22:00:00Z"), 0), after);
}

#[test]
fn a_day_that_a_month_does_not_have_is_its_last() {
    let zone = Zone::named("Europe/Prague");
    assert_eq!(zone.moment(civil("2027-02-29 08:00")), utc("2027-02-28T07:00:00Z"));
    assert_eq!(zone.moment(civil("2028-02-29 08:00")), utc("2028-02-29T07:00:00Z"));
    assert_eq!(zone.moment(civil("2100-02-29 08:00")), utc("2100-02-28T07:00:00Z"));
    assert_eq!(zone.moment(civil("2000-02-29 08:00")), utc("2000-02-29T07:00:00Z"));
    assert_eq!(zone.moment(civil("2026-04-31 08:00")), utc("2026-04-30T06:00:00Z"));
    assert_eq!(zone.moment(civil("2026-00-00 99:99")), utc("2026-01-01T22:59:00Z"));
    assert_eq!(zone.moment(civil("2026-255-255 255:255")), utc("2026-12-31T22:59:00Z"));
}

#[test]
fn a_day_may_begin_at_one_and_last_23_or_25_hours() {
    for (name, without_midnight, starts, longer, ends) in [
        (
            "Africa/Cairo",
            "2026-04-24T09:00:00Z",
            "2026-04-23T22:00:00Z",
            "2026-10-29T09:00:00Z",
            "2026-10-29T22:00:00Z",
        ),
        (
            "America/Santiago",
            "2026-09-06T15:00:00Z",
            "2026-09-06T04:00:00Z",
            "2026-04-04T15:00:00Z",
            "2026-04-05T04:00:00Z",
        ),
        ("Asia/Beirut", "2026-03-29T09:00:00Z", "2026-03-28T22:00:00Z", "2026-10-24T09:00:00Z", "2026-10-24T22:00:00Z"),
    ] {
        let zone = Zone::named(name);
        let start = zone.day_start(utc(without_midnight));
        assert_eq!(start, utc(starts), "{name}");
        let local = zone.local(start);
        assert_eq!((local.hour, local.minute), (1, 0), "{name}: the day begins at one");
        assert_eq!(zone.day_start(start), start, "{name}");
        assert_eq!(zone.date(start.plus_ms(-1)), zone.date(start.plus_ms(-60_000)), "{name}");
        assert_eq!(zone.end_of_day(start.plus_ms(-1), 0), start, "{name}: the day before ends there");
        assert_eq!(zone.end_of_day(start, 0).since_ms(start), 23 * 3_600_000, "{name}");

        let end = zone.end_of_day(utc(longer), 0);
        assert_eq!(end, utc(ends), "{name}: its last hour comes twice");
        assert_eq!(end.since_ms(zone.day_start(utc(longer))), 25 * 3_600_000, "{name}");
        assert_eq!(zone.day_start(end.plus_ms(-1)), zone.day_start(utc(longer)), "{name}");
        assert_eq!(zone.end_of_day(end.plus_ms(-1), 0), end, "{name}");
    }
}

#[test]
fn days_later_is_the_same_time_by_the_clocks() {
    let zone = Zone::named("Europe/Bratislava");
    let later = |at: &str, days| zone.days_later(utc(at), days);
    assert_eq!(later("2026-03-28T11:00:00.007Z", 1), utc("2026-03-29T10:00:00.007Z"));
    assert_eq!(later("2026-10-24T10:00:00.007Z", 1), utc("2026-10-25T11:00:00.007Z"));
    assert_eq!(later("2026-03-01T12:00:00Z", 365), utc("2027-03-01T12:00:00Z"));
    assert_eq!(later("2026-10-24T00:30:00Z", 1), utc("2026-10-25T00:30:00Z"), "the first of two");
    assert_eq!(later("2026-03-28T01:30:12.345Z", 1), utc("2026-03-29T01:00:00Z"), "after the gap, not within");
    assert_eq!(later("2026-03-28T01:30:00Z", 2), utc("2026-03-30T00:30:00Z"));
    for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
        assert_eq!(later(at, 0), utc(at), "no days later is now, also the second time the clocks show it");
        assert_eq!(later(at, 1), utc("2026-10-26T01:30:00Z"));
    }
}

#[test]
fn what_is_valid_for_days_ends_with_a_day() {
    let zone = Zone::named("Europe/Bratislava");
    let end = |at: &str, days| zone.end_of_day(utc(at), days);
    assert_eq!(end("2026-06-01T10:00:00Z", 0), utc("2026-06-01T22:00:00Z"));
    assert_eq!(end("2026-06-01T10:00:00Z", 1), utc("2026-06-02T22:00:00Z"));
    assert_eq!(end("2026-06-01T22:00:00Z", 0), utc("2026-06-02T22:00:00Z"), "a day's first moment is in it");
    assert_eq!(end("2026-06-01T21:59:59.999Z", 0), utc("2026-06-01T22:00:00Z"));
    assert_eq!(end("2026-10-20T10:00:00Z", 10), utc("2026-10-30T23:00:00Z"), "by winter's clocks");
    assert_eq!(end("2026-12-30T10:00:00Z", 60), utc("2027-02-28T23:00:00Z"));
    assert_eq!(end("2027-12-30T10:00:00Z", 61), utc("2028-02-29T23:00:00Z"));
}

#[test]
fn a_period_ends_where_the_next_begins() {
    let zone = Zone::named("Europe/Prague");
    let end = |at: &str, period| zone.end_of(utc(at), period);
    for (at, month, quarter, year) in [
        ("2026-01-01T12:00:00Z", "2026-01-31T23:00:00Z", "2026-03-31T22:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-02-10T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", "2026-12-31T23:00:00Z"),
        ("2028-02-10T12:00:00Z", "2028-02-29T23:00:00Z", "2028-03-31T22:00:00Z", "2028-12-31T23:00:00Z"),
        ("2026-06-30T21:59:59.999Z", "2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-06-30T22:00:00Z", "2026-07-31T22:00:00Z", "2026-09-30T22:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-11-05T12:00:00Z", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-12-31T22:59:59.999Z", "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z", "2026-12-31T23:00:00Z"),
        ("2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z", "2027-03-31T22:00:00Z", "2027-12-31T23:00:00Z"),
    ] {
        let ends = [Period::Month, Period::Quarter, Period::Year].map(|period| end(at, period));
        assert_eq!(ends, [month, quarter, year].map(utc), "{at}");
    }
    let beirut = Zone::named("Asia/Beirut");
    assert_eq!(beirut.end_of(utc("2026-03-10T12:00:00Z"), Period::Month), utc("2026-03-31T21:00:00Z"));
}

#[test]
fn the_next_of_some_days_of_the_year() {
    let zone = Zone::named("Europe/Bratislava");
    let halves = [day("12-31"), day("06-30")];
    let next = |after: &str, days: &[MonthDay]| zone.next_date(utc(after), days);
    assert_eq!(next("2026-01-01T12:00:00Z", &[]), None);
    assert_eq!(next("2026-01-01T12:00:00Z", &halves), Some(utc("2026-06-30T22:00:00Z")));
    assert_eq!(next("2026-06-30T21:59:59Z", &halves), Some(utc("2026-06-30T22:00:00Z")), "the day itself counts");
    assert_eq!(next("2026-06-30T22:00:00Z", &halves), Some(utc("2026-12-31T23:00:00Z")));
    assert_eq!(next("2026-12-31T23:00:00Z", &halves), Some(utc("2027-06-30T22:00:00Z")));
    assert_eq!(next("2026-03-02T12:00:00Z", &[day("03-01")]), Some(utc("2027-03-01T23:00:00Z")));
    let leap = [day("02-29")];
    assert_eq!(next("2026-02-28T12:00:00Z", &leap), Some(utc("2026-02-28T23:00:00Z")));
    assert_eq!(next("2026-03-01T12:00:00Z", &leap), Some(utc("2027-02-28T23:00:00Z")));
    assert_eq!(next("2027-03-01T12:00:00Z", &leap), Some(utc("2028-02-29T23:00:00Z")));
    assert_eq!(next("2028-02-28T12:00:00Z", &leap), Some(utc("2028-02-29T23:00:00Z")));
    let beirut = Zone::named("Asia/Beirut");
    assert_eq!(beirut.next_date(utc("2026-03-01T12:00:00Z"), &[day("03-28")]), Some(utc("2026-03-28T22:00:00Z")));
}

#[test]
fn anniversaries_are_by_the_calendar() {
    let zone = Zone::named("Europe/Bratislava");
    let later = |at: &str, years| zone.years_later(utc(at), years);
    assert_eq!(later("2026-03-28T11:00:00.007Z", 1), utc("2027-03-28T10:00:00.007Z"), "after the change, in 2027");
    assert_eq!(later("2028-02-29T12:00:00Z", 1), utc("2029-02-28T12:00:00Z"));
    assert_eq!(later("2028-02-29T12:00:00Z", 4), utc("2032-02-29T12:00:00Z"));
    assert_eq!(later("2027-02-28T12:00:00Z", 1), utc("2028-02-28T12:00:00Z"));
    assert_eq!(later("2028-02-29T12:00:00Z", -1), utc("2027-02-28T12:00:00Z"));
    assert_eq!(later("2026-10-25T01:30:00Z", 0), utc("2026-10-25T01:30:00Z"));
    assert_eq!(later("2025-03-29T01:30:00Z", 1), utc("2026-03-29T01:00:00Z"), "a time that is skipped that year");
}

#[test]
fn the_ends_of_time_are_ends() {
    for name in ["UTC", "Europe/Bratislava", "Pacific/Kiritimati", "Pacific/Niue", "Africa/Cairo"] {
        let zone = Zone::named(name);
        for at in [i64::MIN, i64::MIN + 1, -377_705_023_201_000, 0, 253_402_207_200_000, i64::MAX - 1, i64::MAX] {
            let at = Moment(at);
            assert_eq!(zone.date(at), zone.local(at).date());
            assert!(zone.day_start(at) <= at, "{name} {at}");
            for days in [0, 1, 366, u32::MAX] {
                assert!(zone.days_later(at, days) >= at, "{name} {at}");
                assert!(zone.end_of_day(at, days) >= at, "{name} {at}");
            }
            for period in [Period::Month, Period::Quarter, Period::Year] {
                assert!(zone.end_of(at, period) >= at, "{name} {at}");
            }
            assert!(zone.next_date(at, &[day("02-29"), MonthDay { month: 0, day: 255 }]) >= Some(at), "{name} {at}");
            for years in [i32::MIN, -1, 1, i32::MAX] {
                let there = zone.years_later(at, years);
                assert!((Timestamp::MIN.as_millisecond()..=Timestamp::MAX.as_millisecond()).contains(&there.0));
            }
        }
        let far = |year| zone.moment(CivilTime { year, month: 12, day: 31, hour: 23, minute: 59 });
        assert_eq!(far(i32::MAX), far(9_999), "{name}");
        assert_eq!(far(i32::MIN), far(-9_999), "{name}");
    }
}

/// Whatever a zone does with its clocks: around every change of the next years, days are in order and without a hole.
#[test]
fn days_follow_each_other_in_every_zone() {
    let (from, until) = (utc("2026-01-01T00:00:00Z"), utc("2029-01-01T00:00:00Z"));
    let mut changes = 0;
    for name in jiff::tz::db().available() {
        let zone = Zone::named(name.as_str());
        let moments: Vec<Moment> = zone
            .0
            .following(stamp(from))
            .map(|change| Moment(change.timestamp().as_millisecond()))
            .take_while(|at| *at < until)
            .collect();
        changes += moments.len();
        for at in moments.into_iter().flat_map(|at| [-86_400_000, -1, 0, 1, 86_400_000].map(|ms| at.plus_ms(ms))) {
            let (start, end) = (zone.day_start(at), zone.end_of_day(at, 0));
            assert!(start <= at && at < end, "{name}: {start} {at} {end}");
            assert_eq!(zone.day_start(end), end, "{name} {at}");
            assert_eq!(zone.day_start(end.plus_ms(-1)), start, "{name} {at}");
            assert_eq!(zone.end_of_day(start, 0), end, "{name} {at}");
            assert_eq!(zone.date(end.plus_ms(-1)), zone.date(at), "{name} {at}");
            assert_ne!(zone.date(end), zone.date(at), "{name} {at}");
            assert_eq!(zone.end_of_day(at, 1), zone.end_of_day(end, 0), "{name} {at}");
        }
    }
    assert!(changes > 100, "{changes}");
}
