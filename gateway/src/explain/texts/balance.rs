//! About a balance: what it is made of, what is pending, what is lost next.

super::sentences! {
    AVAILABLE {
        cs: "K utracení: {units}{parts}.",
        sk: "Na minutie: {units}{parts}.",
        pl: "Do wydania: {units}{parts}.",
        en: "To spend: {units}{parts}.",
        de: "Einlösbar: {units}{parts}."
    }
    PENDING {
        cs: "Čeká do {when}: {units}{parts}.",
        sk: "Čaká do {when}: {units}{parts}.",
        pl: "Czeka do {when}: {units}{parts}.",
        en: "Pending until {when}: {units}{parts}.",
        de: "Ausstehend bis {when}: {units}{parts}."
    }
    PENDING_MORE {
        cs: "Čeká i poté: {units}.",
        sk: "Čaká aj potom: {units}.",
        pl: "Czeka także później: {units}.",
        en: "Pending beyond that: {units}.",
        de: "Auch danach ausstehend: {units}."
    }
    OWED {
        cs: "Dluh: {units}. Odebráno zpět bylo víc, než kolik zbývalo; co se získá příště, ho nejdřív vyrovná.",
        sk: "Dlh: {units}. Späť sa odobralo viac, než zostávalo; čo sa získa nabudúce, ho najprv vyrovná.",
        pl: "Dług: {units}. Odebrano więcej, niż zostało; to, co przybędzie, najpierw go wyrówna.",
        en: "Owed: {units}. More was taken back than there was left; what is earned next fills that first.",
        de: "Schuld: {units}. Es wurde mehr zurückgenommen, als übrig war; was als Nächstes hinzukommt, gleicht sie zuerst aus."
    }
    FROM_ORDER {
        cs: "{amount} z nákupu {order} ({date})",
        sk: "{amount} z nákupu {order} ({date})",
        pl: "{amount} z zakupu {order} ({date})",
        en: "{amount} from purchase {order} ({date})",
        de: "{amount} aus dem Einkauf {order} ({date})"
    }
    FROM_CHANGE {
        cs: "{amount} ze změny nákupu {order} ({date})",
        sk: "{amount} zo zmeny nákupu {order} ({date})",
        pl: "{amount} ze zmiany zakupu {order} ({date})",
        en: "{amount} from a change of purchase {order} ({date})",
        de: "{amount} aus einer Änderung des Einkaufs {order} ({date})"
    }
    FROM_PLUGIN {
        cs: "{amount} od pluginu {plugin} ({date})",
        sk: "{amount} od pluginu {plugin} ({date})",
        pl: "{amount} od wtyczki {plugin} ({date})",
        en: "{amount} from {plugin} ({date})",
        de: "{amount} von {plugin} ({date})"
    }
    FROM_MORE {
        cs: "{amount} odjinud ({count})",
        sk: "{amount} odinakiaľ ({count})",
        pl: "{amount} z pozostałych ({count})",
        en: "{amount} from {count} more",
        de: "{amount} aus {count} weiteren"
    }
    FROM_ELSEWHERE {
        cs: "{amount} odjinud",
        sk: "{amount} odinakiaľ",
        pl: "{amount} skądinąd",
        en: "{amount} from elsewhere",
        de: "{amount} von anderswo"
    }
    LOST_NEXT {
        cs: "Jako další propadne: {units}, platnost do {day}.",
        sk: "Najbližšie prepadne: {units}, platnosť do {day}.",
        pl: "Jako następne przepadnie: {units}, ważność do {day}.",
        en: "Next to be lost: {units}, valid until {day}.",
        de: "Als Nächstes verfällt: {units}, gültig bis {day}."
    }
    IN_ALL {
        cs: "Celkem získáno: {earned}; utraceno {spent}, propadlo {expired}, odebráno zpět {reversed}.",
        sk: "Spolu získané: {earned}; minuté {spent}, prepadnuté {expired}, odobraté späť {reversed}.",
        pl: "Łącznie otrzymano: {earned}; wydano {spent}, przepadło {expired}, odebrano {reversed}.",
        en: "Earned in all: {earned}; spent {spent}, lost {expired}, taken back {reversed}.",
        de: "Insgesamt erhalten: {earned}; ausgegeben {spent}, verfallen {expired}, zurückgenommen {reversed}."
    }
    NOTHING_YET {
        cs: "Zatím tu nic není: {wallet}.",
        sk: "Zatiaľ tu nič nie je: {wallet}.",
        pl: "Na razie nic tu nie ma: {wallet}.",
        en: "There is nothing of this yet: {wallet}.",
        de: "Davon gibt es noch nichts: {wallet}."
    }
    NO_WALLETS {
        cs: "Člen zatím nic nezískal.",
        sk: "Člen zatiaľ nič nezískal.",
        pl: "Uczestnik jeszcze nic nie otrzymał.",
        en: "The member has not earned anything yet.",
        de: "Das Mitglied hat noch nichts erhalten."
    }
}
