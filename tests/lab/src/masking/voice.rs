//! How callers and agents of each language speak of numbers.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// One language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice(usize);

/// Every language.
pub(super) const ALL: [Voice; 5] = [Voice(0), Voice(1), Voice(2), Voice(3), Voice(4)];

const TAGS: [&str; 5] = ["en", "es", "de", "fr", "pt"];

const UNITS: [[&str; 10]; 5] = [
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ],
    [
        "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve",
    ],
    [
        "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
    ],
    [
        "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf",
    ],
    [
        "zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove",
    ],
];

/// "Double", where people say it.
const DOUBLES: [Option<&str>; 5] = [Some("double"), Some("doble"), Some("doppel"), None, None];

macro_rules! sentences {
    ($($name:ident: $lines:expr;)*) => {
        impl Voice {
            $(pub(super) fn $name(self) -> &'static str {
                const LINES: [&str; 5] = $lines;
                LINES[self.0]
            })*
        }
    };
}

sentences! {
    its: ["It's #.", "Es #.", "Das ist #.", "C'est #.", "É #."];
    card_is: ["My card number is #.", "Mi número de tarjeta es #.", "Meine Kartennummer ist #.", "Mon numéro de carte est #.", "O número do meu cartão é #."];
    number_is: ["My number is #", "Mi número es el #", "Meine Nummer ist #", "Mon numéro est #", "O meu número é #"];
    asks_card: ["Could you read me your card number?", "¿Me dice su número de tarjeta?", "Wie lautet Ihre Kartennummer?", "Quel est votre numéro de carte ?", "Qual é o número do cartão?"];
    code_is: ["The security code is #.", "El código de seguridad es #.", "Die Prüfnummer ist #.", "Le cryptogramme est #.", "O código de segurança é #."];
    asks_code: ["And the three digits on the back?", "¿Y el código de seguridad?", "Und die Prüfnummer auf der Rückseite?", "Et le cryptogramme au dos ?", "E o código de segurança?"];
    asks_one_time: ["And the six digit code that your app shows now?", "¿Y el código de seis cifras que muestra ahora su aplicación?", "Und der sechsstellige Code, den Ihre App jetzt zeigt?", "Et le code à six chiffres que votre application affiche ?", "E o código de seis dígitos que a aplicação mostra agora?"];
    pin_is: ["My PIN is #.", "Mi PIN es #.", "Meine Geheimzahl ist #.", "Mon code secret est #.", "O meu PIN é #."];
    password_is: ["My password is #", "Mi contraseña es #", "Mein Passwort lautet #", "Mon mot de passe est #", "A minha senha é #"];
    order_is: ["Where is my order #?", "El número de pedido es #.", "Meine Bestellnummer ist #.", "Le numéro de commande est #.", "O número da encomenda é #."];
    phone_is: ["My phone number is #.", "Mi teléfono es el #.", "Meine Telefonnummer ist #.", "Mon téléphone est le #.", "O meu telefone é #."];
    costs: ["It costs # euros.", "Cuesta # euros.", "Es kostet # Euro.", "Ça coûte # euros.", "Custa # euros."];
    ends_in: ["The card ends in #.", "La tarjeta termina en #.", "Die Karte endet auf #.", "La carte se termine par #.", "O cartão termina em #."];
    account_is: ["My customer number is #.", "Mi número de cliente es #.", "Die Kundennummer ist #.", "Mon numéro de client est #.", "O número de cliente é #."];
    asks_last_four: ["What are the last four digits of the card on file?", "¿Cuáles son las cuatro últimas cifras de su tarjeta?", "Die letzten vier Ziffern der hinterlegten Karte, bitte?", "Quels sont les quatre derniers chiffres de votre carte ?", "Quais são os últimos quatro dígitos do cartão?"];
}

impl Voice {
    pub(super) fn tag(self) -> &'static str {
        TAGS[self.0]
    }

    /// Digit by digit.
    pub(super) fn one_by_one(self, digits: &str) -> String {
        let words: Vec<&str> = digits
            .bytes()
            .map(|digit| UNITS[self.0][usize::from(digit - b'0')])
            .collect();
        words.join(" ")
    }

    /// Digit by digit with pauses, with doubles, or in pairs.
    pub(super) fn say(self, rng: &mut ChaCha8Rng, digits: &str) -> String {
        let style = rng.random_range(0..4);
        let bytes = digits.as_bytes();
        let mut words: Vec<String> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let digit = usize::from(bytes[at] - b'0');
            let next = bytes.get(at + 1).map(|next| usize::from(next - b'0'));
            if style == 1
                && let (Some(double), true) = (DOUBLES[self.0], next == Some(digit))
            {
                words.push(format!("{double} {}", UNITS[self.0][digit]));
                at += 2;
                continue;
            }
            if style == 2
                && let Some(next) = next
                && digit > 0
            {
                words.push(pair(self.0, digit, next));
                at += 2;
                continue;
            }
            words.push(UNITS[self.0][digit].to_owned());
            at += 1;
            if style == 3 && at % 4 == 0 && at < bytes.len() {
                words.push(["um,", "eh,", "äh,", "euh,", "hm,"][self.0].to_owned());
            }
        }
        words.join(" ")
    }
}

/// A number from 10 to 99 in words.
fn pair(language: usize, tens: usize, unit: usize) -> String {
    const TEENS: [[&str; 10]; 5] = [
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        [
            "diez",
            "once",
            "doce",
            "trece",
            "catorce",
            "quince",
            "dieciséis",
            "diecisiete",
            "dieciocho",
            "diecinueve",
        ],
        [
            "zehn",
            "elf",
            "zwölf",
            "dreizehn",
            "vierzehn",
            "fünfzehn",
            "sechzehn",
            "siebzehn",
            "achtzehn",
            "neunzehn",
        ],
        [
            "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept",
            "dix-huit", "dix-neuf",
        ],
        [
            "dez",
            "onze",
            "doze",
            "treze",
            "catorze",
            "quinze",
            "dezasseis",
            "dezassete",
            "dezoito",
            "dezanove",
        ],
    ];
    const TENS: [[&str; 10]; 5] = [
        [
            "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
        ],
        [
            "",
            "",
            "veinte",
            "treinta",
            "cuarenta",
            "cincuenta",
            "sesenta",
            "setenta",
            "ochenta",
            "noventa",
        ],
        [
            "", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig",
            "neunzig",
        ],
        [
            "",
            "",
            "vingt",
            "trente",
            "quarante",
            "cinquante",
            "soixante",
            "soixante",
            "quatre-vingt",
            "quatre-vingt",
        ],
        [
            "",
            "",
            "vinte",
            "trinta",
            "quarenta",
            "cinquenta",
            "sessenta",
            "setenta",
            "oitenta",
            "noventa",
        ],
    ];
    const TWENTIES: [&str; 10] = [
        "veinte",
        "veintiuno",
        "veintidós",
        "veintitrés",
        "veinticuatro",
        "veinticinco",
        "veintiséis",
        "veintisiete",
        "veintiocho",
        "veintinueve",
    ];
    let word = TENS[language][tens];
    let one = UNITS[language][unit];
    match (language, tens, unit) {
        (_, 1, _) => TEENS[language][unit].to_owned(),
        (1, 2, _) => TWENTIES[unit].to_owned(),
        (3, 7 | 9, _) => format!("{word}-{}", TEENS[3][unit]),
        (3, 8, 0) => "quatre-vingts".to_owned(),
        (_, _, 0) => word.to_owned(),
        (0, _, _) => format!("{word} {one}"),
        (1, _, _) => format!("{word} y {one}"),
        (2, _, 1) => format!("einund{word}"),
        (2, _, _) => format!("{one}und{word}"),
        (3, 2..=6, 1) => format!("{word} et un"),
        (3, _, _) => format!("{word}-{one}"),
        _ => format!("{word} e {one}"),
    }
}
