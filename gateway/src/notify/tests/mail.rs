//! Mail, handed to a real SMTP server.

use super::{Inbox, due, stage};
use perkgate_domain::delivery::{DueDelivery, Next};
use perkgate_domain::member::Contact;
use perkgate_domain::programme::ChannelKind;
use perkgate_domain::time::Moment;

#[tokio::test]
async fn a_mail_arrives() {
    let inbox = Inbox::open();
    let stage = stage(true, 5_000, &[("mail", inbox.channel())]);
    stage.clock.set(Moment(1_700_000_000_000));
    let attempt = stage.sends_one(due("dlv_1", "mail")).await;
    assert_eq!((attempt.status, attempt.error, attempt.next), (Some(250), None, Next::Delivered));

    let mails = inbox.mails();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("kavarna@example.com", "jana@example.com"));
    assert_eq!(mail.header("Message-ID"), Some("<dlv_1@example.com>"));
    assert_eq!(mail.header("Date"), Some("Tue, 14 Nov 2023 22:13:20 +0000"));
    assert_eq!(mail.header("MIME-Version"), Some("1.0"));
    assert_eq!(mail.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
    // RFC 2047 words: base64 of the UTF-8 text.
    assert_eq!(mail.words("Subject"), "Vitajte u nás ☕");
    assert_eq!(mail.words("From"), "Kavárna U Mosta <kavarna@example.com>");
    assert_eq!(mail.words("To"), "Jana Nováková <jana@example.com>");
    assert_eq!(mail.text(), "Ďakujeme za prvý nákup.\n.\nKavárna");
}

#[tokio::test]
async fn mails_share_a_connection_until_it_is_idle_or_broken() {
    let inbox = Inbox::open();
    let stage = stage(true, 5_000, &[("mail", inbox.channel())]);
    for n in 0..3 {
        stage.sends_one(due(&format!("dlv_{n}"), "mail")).await;
    }
    assert_eq!((inbox.mails().len(), inbox.connections()), (3, 1));
    stage.clock.advance_ms(60_000);
    stage.sends_one(due("dlv_4", "mail")).await;
    assert_eq!((inbox.mails().len(), inbox.connections()), (4, 2));
    let refused = DueDelivery {
        contact: Contact { email: Some("full@example.com".into()), ..Contact::default() },
        ..due("dlv_5", "mail")
    };
    stage.sends_one(refused).await;
    stage.sends_one(due("dlv_6", "mail")).await;
    assert_eq!((inbox.mails().len(), inbox.connections()), (5, 3), "a connection that saw an error is not used again");
}

#[tokio::test]
async fn what_a_mail_servers_answer_leads_to() {
    let inbox = Inbox::open();
    let stage = stage(true, 5_000, &[("mail", inbox.channel())]);
    let to = |address: &str| DueDelivery {
        contact: Contact { email: Some(address.into()), ..Contact::default() },
        ..due("dlv_1", "mail")
    };
    let attempt = stage.sends_one(to("nobody@example.com")).await;
    assert_eq!((attempt.next, attempt.status), (Next::Dead, Some(550)));
    assert!(!attempt.error.unwrap().contains("nobody"), "an error has no contact data");
    let attempt = stage.sends_one(to("full@example.com")).await;
    assert!((4_000..=6_000).contains(&stage.wait(&attempt)));
    assert_eq!(attempt.status, Some(452));
    let attempt = stage.sends_one(DueDelivery { contact: Contact::default(), ..due("dlv_1", "mail") }).await;
    assert_eq!((attempt.next, attempt.error.as_deref()), (Next::Dead, Some("the member has no e-mail address")));
    let attempt = stage.sends_one(to("not an address")).await;
    assert_eq!(attempt.next, Next::Dead);
    assert!(inbox.mails().is_empty());
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_or_silent_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = |address, scheme: &str| ChannelKind::Email {
        smtp: format!("{scheme}://{address}"),
        from: "a@example.com".into(),
        to: None,
    };
    let inbox = Inbox::open();
    let channels = [
        ("free", mail(free, "smtp")),
        ("silent", mail(silent.local_addr().unwrap(), "smtp")),
        ("no-tls", mail(inbox.address(), "smtps")),
    ];
    let stage = stage(true, 300, &channels);
    for (channel, _) in &channels {
        let attempt = stage.sends_one(due("dlv_1", channel)).await;
        assert!(stage.wait(&attempt) > 0, "{channel}");
        assert_eq!(attempt.status, None, "{channel}");
    }
}

#[tokio::test]
async fn a_mail_server_may_ask_who_sends() {
    let inbox = Inbox::guarded();
    let channel = |user: &str| ChannelKind::Email {
        smtp: format!("smtp://{user}@{}", inbox.address()),
        from: "a@example.com".into(),
        to: None,
    };
    let stage = stage(true, 5_000, &[("right", channel("shop:p%40ss")), ("wrong", channel("shop:guess"))]);
    assert_eq!(stage.sends_one(due("dlv_1", "right")).await.next, Next::Delivered);
    let attempt = stage.sends_one(due("dlv_2", "wrong")).await;
    assert_eq!((attempt.next, attempt.status), (Next::Dead, Some(535)));
    assert_eq!(inbox.mails().len(), 1);
}

#[tokio::test]
async fn no_header_can_be_smuggled_in() {
    let inbox = Inbox::open();
    let stage = stage(true, 5_000, &[("mail", inbox.channel())]);
    let mut due = due("dlv_1", "mail");
    due.delivery.message.subject = "Hello\r\nBcc: spy@example.com\r\n\r\nbody".into();
    due.contact.name = Some("Jana\r\nX-Evil: 1\u{0}\u{85}".into());
    due.delivery.message.text = "text\r\n.\r\nMAIL FROM:<spy@example.com>\r\n".into();
    assert_eq!(stage.sends_one(due.clone()).await.next, Next::Delivered);
    let mails = inbox.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].header("Bcc"), mails[0].header("X-Evil")), (None, None));
    assert_eq!(mails[0].words("Subject"), "Hello Bcc: spy@example.com body");
    assert!(mails[0].text().contains("MAIL FROM:<spy@example.com>"));
    due.contact.email = Some("jana@example.com>\r\nRCPT TO:<spy@example.com".into());
    assert_eq!(stage.sends_one(due).await.next, Next::Dead);
    assert_eq!(inbox.mails().len(), 1);
}
