//! About what plugins decided, and why nothing came of it.

super::sentences! {
    EARNED {
        cs: "Od pluginu {plugin}: {units}. Důvod: {reason}.",
        sk: "Od pluginu {plugin}: {units}. Dôvod: {reason}.",
        pl: "Od wtyczki {plugin}: {units}. Powód: {reason}.",
        en: "From {plugin}: {units}. Why: {reason}.",
        de: "Von {plugin}: {units}. Grund: {reason}."
    }
    BY_LINE {
        cs: "Po položkách: {lines}.",
        sk: "Po položkách: {lines}.",
        pl: "Według pozycji: {lines}.",
        en: "By line: {lines}.",
        de: "Nach Positionen: {lines}."
    }
    MORE_LINES {
        cs: "ostatní ({count}) {amount}",
        sk: "ostatné ({count}) {amount}",
        pl: "pozostałe ({count}) {amount}",
        en: "{count} more {amount}",
        de: "{count} weitere {amount}"
    }
    SPENT_FROM {
        cs: "Zatím čeká, utratit lze od {when}.",
        sk: "Zatiaľ čaká, minúť možno od {when}.",
        pl: "Na razie czeka, można wydać od {when}.",
        en: "Still pending, may be spent from {when}.",
        de: "Noch ausstehend, einlösbar ab {when}."
    }
    VALID {
        cs: "Platnost do {day}.",
        sk: "Platnosť do {day}.",
        pl: "Ważność do {day}.",
        en: "Valid until {day}.",
        de: "Gültig bis {day}."
    }
    LOST {
        cs: "Propadlo, protože to nebylo včas utraceno: {units}.",
        sk: "Prepadlo, lebo to nebolo včas minuté: {units}.",
        pl: "Przepadło, bo nie zostało wydane w porę: {units}.",
        en: "Lost, because it was not spent in time: {units}.",
        de: "Verfallen, weil nicht rechtzeitig ausgegeben: {units}."
    }
    TAKEN {
        cs: "Odečteno pluginem {plugin}: {units}. Důvod: {reason}.",
        sk: "Odpočítané pluginom {plugin}: {units}. Dôvod: {reason}.",
        pl: "Odliczono przez wtyczkę {plugin}: {units}. Powód: {reason}.",
        en: "Taken by {plugin}: {units}. Why: {reason}.",
        de: "Abgezogen von {plugin}: {units}. Grund: {reason}."
    }
    TIER_PUT {
        cs: "Plugin {plugin} přiřadil člena do úrovně {tier}.",
        sk: "Plugin {plugin} zaradil člena do úrovne {tier}.",
        pl: "Wtyczka {plugin} przypisała uczestnika do poziomu {tier}.",
        en: "{plugin} put the member into the tier {tier}.",
        de: "{plugin} hat das Mitglied in die Stufe {tier} gesetzt."
    }
    TIER_OUT {
        cs: "Plugin {plugin} vyřadil člena ze všech úrovní.",
        sk: "Plugin {plugin} vyradil člena zo všetkých úrovní.",
        pl: "Wtyczka {plugin} usunęła uczestnika ze wszystkich poziomów.",
        en: "{plugin} took the member out of all tiers.",
        de: "{plugin} hat das Mitglied aus allen Stufen genommen."
    }
    TAG_ON {
        cs: "Plugin {plugin} dal členovi značku {tag}.",
        sk: "Plugin {plugin} dal členovi značku {tag}.",
        pl: "Wtyczka {plugin} nadała uczestnikowi znacznik {tag}.",
        en: "{plugin} put the tag {tag} on the member.",
        de: "{plugin} hat dem Mitglied das Merkmal {tag} gegeben."
    }
    TAG_OFF {
        cs: "Plugin {plugin} odebral členovi značku {tag}.",
        sk: "Plugin {plugin} odobral členovi značku {tag}.",
        pl: "Wtyczka {plugin} odebrała uczestnikowi znacznik {tag}.",
        en: "{plugin} took the tag {tag} off the member.",
        de: "{plugin} hat dem Mitglied das Merkmal {tag} genommen."
    }
    TASK {
        cs: "Plugin {plugin} dal obchodníkovi úkol {title}.",
        sk: "Plugin {plugin} dal obchodníkovi úlohu {title}.",
        pl: "Wtyczka {plugin} przekazała sprzedawcy zadanie {title}.",
        en: "{plugin} gave the merchant the task {title}.",
        de: "{plugin} hat dem Händler die Aufgabe {title} gegeben."
    }
    ASKED {
        cs: "Plugin {plugin} se člena zeptal: {subject}.",
        sk: "Plugin {plugin} sa člena opýtal: {subject}.",
        pl: "Wtyczka {plugin} zapytała uczestnika: {subject}.",
        en: "{plugin} asked the member: {subject}.",
        de: "{plugin} hat das Mitglied gefragt: {subject}."
    }
    NOTE {
        cs: "K pluginu {plugin}: {text}.",
        sk: "K pluginu {plugin}: {text}.",
        pl: "O wtyczce {plugin}: {text}.",
        en: "About {plugin}: {text}.",
        de: "Zu {plugin}: {text}."
    }
    NOTHING {
        cs: "Plugin {plugin} nedal nic.",
        sk: "Plugin {plugin} nedal nič.",
        pl: "Wtyczka {plugin} nic nie dała.",
        en: "{plugin} gave nothing.",
        de: "{plugin} hat nichts gegeben."
    }
    NOTHING_SAYS {
        cs: "Plugin {plugin} nedal nic a říká k tomu: {text}.",
        sk: "Plugin {plugin} nedal nič a hovorí k tomu: {text}.",
        pl: "Wtyczka {plugin} nic nie dała i podaje: {text}.",
        en: "{plugin} gave nothing and says: {text}.",
        de: "{plugin} hat nichts gegeben und sagt dazu: {text}."
    }
    NOT_SET_UP {
        cs: "Plugin {plugin} nedal nic, protože není nastavený: {text}.",
        sk: "Plugin {plugin} nedal nič, lebo nie je nastavený: {text}.",
        pl: "Wtyczka {plugin} nic nie dała, bo nie jest skonfigurowana: {text}.",
        en: "{plugin} gave nothing, because it is not set up: {text}.",
        de: "{plugin} hat nichts gegeben, weil es nicht eingerichtet ist: {text}."
    }
    NOT_COVERED {
        cs: "Plugin {plugin} nedal nic, protože jeho pravidlo tohle nezahrnuje: {text}.",
        sk: "Plugin {plugin} nedal nič, lebo jeho pravidlo toto nezahŕňa: {text}.",
        pl: "Wtyczka {plugin} nic nie dała, bo jej reguła tego nie obejmuje: {text}.",
        en: "{plugin} gave nothing, because its rule does not cover this: {text}.",
        de: "{plugin} hat nichts gegeben, weil seine Regel das nicht abdeckt: {text}."
    }
    FAILED {
        cs: "Plugin {plugin} nedal nic, protože selhal: {text}.",
        sk: "Plugin {plugin} nedal nič, lebo zlyhal: {text}.",
        pl: "Wtyczka {plugin} nic nie dała, bo zawiodła: {text}.",
        en: "{plugin} gave nothing, because it failed: {text}.",
        de: "{plugin} hat nichts gegeben, weil es versagt hat: {text}."
    }
    NOT_RUN {
        cs: "Plugin {plugin} nedal nic, protože ho brána nemohla spustit: {text}.",
        sk: "Plugin {plugin} nedal nič, lebo ho brána nemohla spustiť: {text}.",
        pl: "Wtyczka {plugin} nic nie dała, bo bramka nie mogła jej uruchomić: {text}.",
        en: "{plugin} gave nothing, because the gateway could not run it: {text}.",
        de: "{plugin} hat nichts gegeben, weil das Gateway es nicht ausführen konnte: {text}."
    }
    NOT_ACTED_ON {
        cs: "Co rozhodl plugin {plugin}, se neprovedlo: {text}.",
        sk: "Čo rozhodol plugin {plugin}, sa nevykonalo: {text}.",
        pl: "Tego, co postanowiła wtyczka {plugin}, nie wykonano: {text}.",
        en: "What {plugin} decided was not acted on: {text}.",
        de: "Was {plugin} entschieden hat, wurde nicht ausgeführt: {text}."
    }
    SHADOW {
        cs: "Plugin {plugin} běží ve stínu: co rozhodne, neplatí.",
        sk: "Plugin {plugin} beží v tieni: čo rozhodne, neplatí.",
        pl: "Wtyczka {plugin} działa w cieniu: to, co postanawia, nie obowiązuje.",
        en: "{plugin} runs in the shadow: what it decides does not count.",
        de: "{plugin} läuft im Schatten: was es entscheidet, zählt nicht."
    }
    PAUSED {
        cs: "Plugin {plugin} je pozastavený a nic nedává.",
        sk: "Plugin {plugin} je pozastavený a nič nedáva.",
        pl: "Wtyczka {plugin} jest wstrzymana i nic nie daje.",
        en: "{plugin} is paused and gives nothing.",
        de: "{plugin} ist angehalten und gibt nichts."
    }
    NO_PLUGINS {
        cs: "Žádný plugin programu o něm nerozhodoval.",
        sk: "Žiadny plugin programu o ňom nerozhodoval.",
        pl: "Żadna wtyczka programu o nim nie postanawiała.",
        en: "No plugin of the programme decided about it.",
        de: "Kein Plugin des Programms hat über ihn entschieden."
    }
    CAPPED {
        cs: "Plugin {plugin} nedal nic, protože je dosažen strop. {span}: {most}; s tímto: {sum}.",
        sk: "Plugin {plugin} nedal nič, lebo je dosiahnutý strop. {span}: {most}; s týmto: {sum}.",
        pl: "Wtyczka {plugin} nic nie dała, bo osiągnięto limit. {span}: {most}; z tym: {sum}.",
        en: "{plugin} gave nothing, because a cap is reached. {span}: {most}; with this: {sum}.",
        de: "{plugin} hat nichts gegeben, weil eine Obergrenze erreicht ist. {span}: {most}; mit diesem: {sum}."
    }
    SPAN_PURCHASE {
        cs: "Na jeden nákup",
        sk: "Na jeden nákup",
        pl: "Na jeden zakup",
        en: "For one purchase",
        de: "Für einen Einkauf"
    }
    SPAN_MEMBER_DAY {
        cs: "Na člena a den",
        sk: "Na člena a deň",
        pl: "Na uczestnika i dzień",
        en: "For one member and day",
        de: "Für ein Mitglied und einen Tag"
    }
    SPAN_DAY {
        cs: "Na den",
        sk: "Na deň",
        pl: "Na dzień",
        en: "For one day",
        de: "Für einen Tag"
    }
    SPAN_MONTH {
        cs: "Na měsíc",
        sk: "Na mesiac",
        pl: "Na miesiąc",
        en: "For one month",
        de: "Für einen Monat"
    }
    SPAN_TOTAL {
        cs: "Za celou dobu",
        sk: "Za celý čas",
        pl: "Na cały czas",
        en: "For all time",
        de: "Insgesamt"
    }
    CAP_OF_ALL {
        cs: "Strop platí pro všechny pluginy dohromady.",
        sk: "Strop platí pre všetky pluginy spolu.",
        pl: "Limit obowiązuje wszystkie wtyczki razem.",
        en: "The cap is for all plugins together.",
        de: "Die Obergrenze gilt für alle Plugins zusammen."
    }
    CAP_ANEW {
        cs: "Znovu se počítá od {day}.",
        sk: "Odznova sa počíta od {day}.",
        pl: "Od nowa liczy się od {day}.",
        en: "It is counted anew from {day}.",
        de: "Ab {day} wird neu gezählt."
    }
}
