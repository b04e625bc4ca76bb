//! About an order: whose it is, how it stands, rewards, messages, codes, refunds and changes.

super::sentences! {
    ORDER {
        cs: "Nákup {order} ze dne {date}, {total}.",
        sk: "Nákup {order} zo dňa {date}, {total}.",
        pl: "Zakup {order} z dnia {date}, {total}.",
        en: "Purchase {order} of {date}, {total}.",
        de: "Einkauf {order} vom {date}, {total}."
    }
    MEMBER {
        cs: "Patří členovi {member}.",
        sk: "Patrí členovi {member}.",
        pl: "Należy do uczestnika {member}.",
        en: "It belongs to member {member}.",
        de: "Er gehört dem Mitglied {member}."
    }
    NOBODY {
        cs: "Není u něj uveden žádný člen, proto za něj zatím nikdo nic nezískal. Kdo ukáže účtenku, může si ho ještě přihlásit.",
        sk: "Nie je pri ňom uvedený žiadny člen, preto zaň zatiaľ nikto nič nezískal. Kto ukáže účtenku, môže si ho ešte prihlásiť.",
        pl: "Nie podano przy nim uczestnika, więc nikt jeszcze nic za niego nie otrzymał. Kto pokaże paragon, może go jeszcze zgłosić.",
        en: "It names no member, so nobody has got anything for it yet. Whoever shows the receipt can still claim it.",
        de: "Er nennt kein Mitglied, darum hat dafür noch niemand etwas bekommen. Wer den Beleg vorzeigt, kann ihn noch geltend machen."
    }
    QUEUED {
        cs: "Ještě čeká, než na něj přijde řada; zatím o něm nebylo rozhodnuto.",
        sk: "Ešte čaká, kým naň príde rad; zatiaľ o ňom nebolo rozhodnuté.",
        pl: "Czeka jeszcze na swoją kolej; nic o nim jeszcze nie postanowiono.",
        en: "It still waits for its turn; nothing has been decided about it yet.",
        de: "Er wartet noch, bis er an der Reihe ist; über ihn ist noch nichts entschieden."
    }
    PARKED {
        cs: "Je odložen, dokud se nezmění tato příčina: {text}.",
        sk: "Je odložený, kým sa nezmení táto príčina: {text}.",
        pl: "Odłożono go, dopóki nie zmieni się ta przyczyna: {text}.",
        en: "It is put aside until this changes: {text}.",
        de: "Er ist zurückgestellt, bis sich das ändert: {text}."
    }
    NOTED {
        cs: "Brána k tomu uvádí: {text}.",
        sk: "Brána k tomu uvádza: {text}.",
        pl: "Bramka podaje: {text}.",
        en: "The gateway notes: {text}.",
        de: "Das Gateway vermerkt: {text}."
    }
    TIER {
        cs: "Člen se jím dostal do úrovně {tier}.",
        sk: "Člen sa ním dostal do úrovne {tier}.",
        pl: "Uczestnik wszedł dzięki niemu na poziom {tier}.",
        en: "With it the member came into the tier {tier}.",
        de: "Damit kam das Mitglied in die Stufe {tier}."
    }
    REWARD {
        cs: "Odměna {title}, kód {code}: {state}.",
        sk: "Odmena {title}, kód {code}: {state}.",
        pl: "Nagroda {title}, kod {code}: {state}.",
        en: "Reward {title}, code {code}: {state}.",
        de: "Prämie {title}, Code {code}: {state}."
    }
    OFFER {
        cs: "Nabídka partnera {partner} {title}, kód {code}: {state}.",
        sk: "Ponuka partnera {partner} {title}, kód {code}: {state}.",
        pl: "Oferta partnera {partner} {title}, kod {code}: {state}.",
        en: "Offer of {partner} {title}, code {code}: {state}.",
        de: "Angebot von {partner} {title}, Code {code}: {state}."
    }
    PRICE {
        cs: "Cena: {units}.",
        sk: "Cena: {units}.",
        pl: "Cena: {units}.",
        en: "Price: {units}.",
        de: "Preis: {units}."
    }
    ISSUED {
        cs: "ještě nepoužitá",
        sk: "ešte nepoužitá",
        pl: "jeszcze niewykorzystana",
        en: "not used yet",
        de: "noch nicht eingelöst"
    }
    USED {
        cs: "už použitá",
        sk: "už použitá",
        pl: "już wykorzystana",
        en: "used already",
        de: "schon eingelöst"
    }
    WITHDRAWN {
        cs: "odebraná kvůli vrácení peněz",
        sk: "odobratá pre vrátenie peňazí",
        pl: "cofnięta z powodu zwrotu pieniędzy",
        en: "taken back because of a refund",
        de: "wegen einer Erstattung zurückgenommen"
    }
    LAPSED {
        cs: "propadlá, nebyla použita včas",
        sk: "prepadnutá, nebola použitá včas",
        pl: "wygasła, nie wykorzystano jej w porę",
        en: "lapsed, not used in time",
        de: "verfallen, nicht rechtzeitig eingelöst"
    }
    UNDONE {
        cs: "vrácená členem",
        sk: "vrátená členom",
        pl: "zwrócona przez uczestnika",
        en: "given back by the member",
        de: "vom Mitglied zurückgegeben"
    }
    MESSAGE_DUE {
        cs: "Zpráva {subject} je na cestě přes {channel}.",
        sk: "Správa {subject} je na ceste cez {channel}.",
        pl: "Wiadomość {subject} jest w drodze przez {channel}.",
        en: "Message {subject} is on its way by {channel}.",
        de: "Nachricht {subject} ist unterwegs über {channel}."
    }
    MESSAGE_SENT {
        cs: "Zpráva {subject} byla odeslána přes {channel}.",
        sk: "Správa {subject} bola odoslaná cez {channel}.",
        pl: "Wiadomość {subject} wysłano przez {channel}.",
        en: "Message {subject} was sent by {channel}.",
        de: "Nachricht {subject} wurde über {channel} gesendet."
    }
    MESSAGE_DEAD {
        cs: "Zprávu {subject} se přes {channel} nepodařilo doručit.",
        sk: "Správu {subject} sa cez {channel} nepodarilo doručiť.",
        pl: "Wiadomości {subject} nie udało się dostarczyć przez {channel}.",
        en: "Message {subject} could not be delivered by {channel}.",
        de: "Nachricht {subject} konnte über {channel} nicht zugestellt werden."
    }
    MESSAGE_HELD {
        cs: "Zpráva {subject} byla zadržena: člen se zprávami nesouhlasil.",
        sk: "Správa {subject} bola zadržaná: člen so správami nesúhlasil.",
        pl: "Wiadomość {subject} wstrzymano: uczestnik nie zgodził się na wiadomości.",
        en: "Message {subject} was held back: the member did not agree to messages.",
        de: "Nachricht {subject} wurde zurückgehalten: das Mitglied hat Nachrichten nicht zugestimmt."
    }
    MESSAGE_TOO_OLD {
        cs: "Zpráva {subject} nebyla odeslána: to, čeho se týká, bylo před více než třemi dny.",
        sk: "Správa {subject} nebola odoslaná: to, čoho sa týka, bolo pred viac ako tromi dňami.",
        pl: "Wiadomości {subject} nie wysłano: to, czego dotyczy, było ponad trzy dni temu.",
        en: "Message {subject} was not sent: what it is about was more than three days ago.",
        de: "Nachricht {subject} wurde nicht gesendet: worum es geht, liegt mehr als drei Tage zurück."
    }
    CODE_USED {
        cs: "Použitý kód {code}: {title}.",
        sk: "Použitý kód {code}: {title}.",
        pl: "Użyty kod {code}: {title}.",
        en: "Code used, {code}: {title}.",
        de: "Eingelöster Code {code}: {title}."
    }
    REFUND {
        cs: "Vrácení peněz ze dne {date}: {what}.",
        sk: "Vrátenie peňazí zo dňa {date}: {what}.",
        pl: "Zwrot pieniędzy z dnia {date}: {what}.",
        en: "Refund of {date}: {what}.",
        de: "Erstattung vom {date}: {what}."
    }
    EVERYTHING {
        cs: "všechno, co zbývalo",
        sk: "všetko, čo zostávalo",
        pl: "wszystko, co zostało",
        en: "everything that was left",
        de: "alles, was übrig war"
    }
    EDIT {
        cs: "Změna ze dne {date}: nákup nyní činí {total}.",
        sk: "Zmena zo dňa {date}: nákup je teraz za {total}.",
        pl: "Zmiana z dnia {date}: zakup wynosi teraz {total}.",
        en: "Change of {date}: the purchase now comes to {total}.",
        de: "Änderung vom {date}: der Einkauf beträgt nun {total}."
    }
    ADDED {
        cs: "Přibylo: {units}.",
        sk: "Pribudlo: {units}.",
        pl: "Przybyło: {units}.",
        en: "Added: {units}.",
        de: "Hinzugekommen: {units}."
    }
    TAKEN_BACK {
        cs: "Odebráno zpět: {units}.",
        sk: "Odobraté späť: {units}.",
        pl: "Odebrano z powrotem: {units}.",
        en: "Taken back: {units}.",
        de: "Zurückgenommen: {units}."
    }
    NOTHING_TAKEN {
        cs: "Zpět se neodebralo nic.",
        sk: "Späť sa neodobralo nič.",
        pl: "Nic nie odebrano.",
        en: "Nothing was taken back.",
        de: "Zurückgenommen wurde nichts."
    }
    FORGIVEN {
        cs: "Ponecháno, i když bylo vráceno to, za co to bylo, protože už to bylo utraceno: {units}.",
        sk: "Ponechané, hoci bolo vrátené to, za čo to bolo, lebo už to bolo minuté: {units}.",
        pl: "Pozostawiono, choć zwrócono to, za co to było, bo zostało już wydane: {units}.",
        en: "Let be, though what earned it was refunded, because it was spent already: {units}.",
        de: "Belassen, obwohl erstattet wurde, wofür es das gab, weil es schon ausgegeben war: {units}."
    }
    LATER_QUEUED {
        cs: "Ještě čeká, než na to přijde řada.",
        sk: "Ešte čaká, kým na to príde rad.",
        pl: "Czeka jeszcze na swoją kolej.",
        en: "It still waits for its turn.",
        de: "Das wartet noch, bis es an der Reihe ist."
    }
    LATER_PARKED {
        cs: "Čeká, dokud se nezmění tato příčina: {text}.",
        sk: "Čaká, kým sa nezmení táto príčina: {text}.",
        pl: "Czeka, dopóki nie zmieni się ta przyczyna: {text}.",
        en: "It waits until this changes: {text}.",
        de: "Das wartet, bis sich das ändert: {text}."
    }
    LATER_FOREIGN {
        cs: "Čeká: je v měně {given}, nákup byl v měně {paid}, a bez kurzu se to nedá porovnat.",
        sk: "Čaká: je v mene {given}, nákup bol v mene {paid}, a bez kurzu sa to nedá porovnať.",
        pl: "Czeka: jest w walucie {given}, zakup był w walucie {paid}, a bez kursu nie da się ich porównać.",
        en: "It waits: it is in {given} and the purchase in {paid}, and without a rate the two cannot be compared.",
        de: "Das wartet: es ist in {given}, der Einkauf in {paid}, und ohne Kurs lässt sich das nicht vergleichen."
    }
    LATER_UNCLAIMED {
        cs: "Čeká, dokud si někdo nákup nepřihlásí.",
        sk: "Čaká, kým si niekto nákup neprihlási.",
        pl: "Czeka, aż ktoś zgłosi zakup.",
        en: "It waits until somebody claims the purchase.",
        de: "Das wartet, bis jemand den Einkauf geltend macht."
    }
}
