//! What the merchant is told when two members may be one person: the words of a task, in the merchant's language.

use perkgate_domain::decision::Message;

/// The kind of the task.
const KEY: &str = "one-person";

/// One language's words. `{one}` and `{other}` become the members' ids.
struct Words {
    language: &'static str,
    title: &'static str,
    text: &'static str,
}

/// The first is for every other language.
const WORDS: [Words; 5] = [
    Words {
        language: "en",
        title: "These two members may be one person",
        text: "An order named {one} by one key and {other} by another, and they differ in a stronger one, so they were left \
               apart. If they are one person, merge them: perkgate member merge, or POST …/members/id:{one}/merge. If not, \
               close this task: it will not come again.",
    },
    Words {
        language: "sk",
        title: "Títo dvaja členovia sú možno jedna osoba",
        text: "Objednávka menovala jedným údajom člena {one} a iným člena {other}; v silnejšom údaji sa líšia, preto zostali \
               oddelení. Ak je to jedna osoba, spojte ich: perkgate member merge alebo POST …/members/id:{one}/merge. Ak nie, \
               úlohu zatvorte: znova sa neobjaví.",
    },
    Words {
        language: "cs",
        title: "Tito dva členové jsou možná jedna osoba",
        text: "Objednávka jmenovala jedním údajem člena {one} a jiným člena {other}; v silnějším údaji se liší, proto zůstali \
               odděleni. Je-li to jedna osoba, spojte je: perkgate member merge nebo POST …/members/id:{one}/merge. Pokud ne, \
               úkol zavřete: znovu se neobjeví.",
    },
    Words {
        language: "pl",
        title: "Tych dwoje członków to może jedna osoba",
        text: "Zamówienie wskazało jedną daną członka {one}, a inną członka {other}; różnią się w mocniejszej, więc pozostali \
               osobno. Jeśli to jedna osoba, połącz ich: perkgate member merge albo POST …/members/id:{one}/merge. Jeśli nie, \
               zamknij zadanie: nie pojawi się ponownie.",
    },
    Words {
        language: "de",
        title: "Diese beiden Mitglieder sind vielleicht eine Person",
        text: "Eine Bestellung nannte mit einer Angabe {one} und mit einer anderen {other}; in einer stärkeren unterscheiden \
               sie sich, daher blieben sie getrennt. Sind sie eine Person, führen Sie sie zusammen: perkgate member merge oder \
               POST …/members/id:{one}/merge. Sonst schließen Sie die Aufgabe: Sie kommt nicht wieder.",
    },
];

/// The task's key, title and text in the language of `locale`. The text has `{one}` and `{other}` where the members' ids come.
#[must_use]
pub fn doubt(locale: &str) -> Message {
    let language = locale.split(['-', '_']).next().unwrap_or(locale).to_ascii_lowercase();
    let words = WORDS.iter().find(|words| words.language == language).unwrap_or(&WORDS[0]);
    Message {
        key: KEY.to_owned(),
        subject: words.title.to_owned(),
        text: words.text.to_owned(),
        locale: locale.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_language_names_both_members() {
        for (locale, begins) in [("sk-SK", "Títo"), ("cs", "Tito"), ("PL", "Tych"), ("de_AT", "Diese"), ("hu", "These")]
        {
            let task = super::doubt(locale);
            assert!(task.subject.starts_with(begins), "{locale}: {}", task.subject);
            assert!(task.text.contains("{one}") && task.text.contains("{other}"), "{locale}");
        }
    }
}
