//! The phrases, folded, in the languages that callers speak; a comma parts them.

use super::CueKind;

pub(super) const ALL: &[(CueKind, &str)] = &[
    (CueKind::CardNumber, CARD_NUMBER),
    (CueKind::Card, CARD),
    (CueKind::CardCode, CARD_CODE),
    (CueKind::OneTime, ONE_TIME),
    (CueKind::Pin, PIN),
    (CueKind::Password, PASSWORD),
    (CueKind::Key, KEY),
    (CueKind::Identity, IDENTITY),
    (CueKind::Bank, BANK),
    (CueKind::LastFour, LAST_FOUR),
    (CueKind::Other, OTHER),
    (CueKind::Account, ACCOUNT),
];

const CARD_NUMBER: &str = "\
    card number, card numbers, card no, card num, card digits, card details, cardnumber, cc \
    number, cc num, ccnum, ccn, primary account number, credit card number, debit card \
    number, credit card no, number on the card, number on my card, number on your card, \
    number of the card, number of my card, number on the front, long number, sixteen digits, \
    sixteen digit number, 16 digits, 16 digit number, numero de tarjeta, numero de la \
    tarjeta, numero de mi tarjeta, numero de su tarjeta, numero de tu tarjeta, datos de la \
    tarjeta, datos de su tarjeta, datos de mi tarjeta, dieciseis digitos, dieciseis cifras, \
    kartennummer, kreditkartennummer, karten nummer, nummer der karte, nummer meiner karte, \
    nummer ihrer karte, nummer auf der karte, kartendaten, numero de carte, numero de la \
    carte, numero de ma carte, numero de votre carte, seize chiffres, numero do cartao, \
    numero de cartao, numero do meu cartao, numero do seu cartao, dados do cartao, dezasseis \
    digitos, dezesseis digitos";

const CARD: &str = "\
    card, credit card, debit card, visa, mastercard, amex, american express, maestro, \
    tarjeta, tarjeta de credito, karte, kreditkarte, bankkarte, carte, carte bancaire, carte \
    bleue, cartao, cartao de credito";

const CARD_CODE: &str = "\
    cvv, cvv2, cvc, cvc2, csc, card code, card security code, card verification, card \
    verification value, card verification code, verification value, security code, security \
    number, digits on the back, digits on the reverse, number on the back, code on the back, \
    digits on the front, codigo de seguridad, digitos de atras, cifras de atras, digitos del \
    reverso, cifras del reverso, numeros de atras, codigo de la tarjeta, sicherheitscode, \
    sicherheitsnummer, kartenprufnummer, prufnummer, prufziffer, prufziffern, ziffern auf \
    der ruckseite, code auf der ruckseite, nummer auf der ruckseite, code de securite, \
    cryptogramme, cryptogramme visuel, chiffres au dos, code au dos, numeros au dos, codigo \
    de seguranca, digitos no verso, digitos do verso, digitos de tras, numeros do verso";

const ONE_TIME: &str = "\
    otp, one time code, one time password, one time passcode, one time pin, passcode, \
    verification code, authentication code, auth code, access code, login code, sms code, \
    text code, two factor code, 2fa code, 2fa, mfa code, digit code, code that your app \
    shows, code your app shows, code in your app, code on your phone, code we sent, code you \
    sent, code we texted, code you texted, code i got, code i received, code i was sent, \
    code from the text, code in the text, codigo de verificacion, codigo de un solo uso, \
    codigo de acceso, codigo de autenticacion, codigo de seis cifras, codigo de seis \
    digitos, codigo de 6 cifras, codigo de 6 digitos, codigo que muestra, codigo que le \
    enviamos, codigo que me llego, codigo que me enviaron, codigo que recibi, codigo sms, \
    codigo del mensaje, clave de un solo uso, einmalcode, einmalpasswort, einmalkennwort, \
    bestatigungscode, verifizierungscode, freigabecode, zugangscode, sechsstellige code, \
    sechsstelligen code, sechsstelliger code, code den ihre app, code aus der sms, code aus \
    der app, code per sms, tan, smstan, code a usage unique, code de verification, code de \
    validation, code d acces, code a six chiffres, code a 6 chiffres, code recu, code sms, \
    code que votre application, code que j ai recu, codigo de verificacao, codigo de uso \
    unico, codigo de utilizacao unica, codigo de acesso, codigo de autenticacao, codigo que \
    a aplicacao, codigo que recebi, codigo por sms";

const PIN: &str = "\
    pin, pin code, pin number, pincode, personal identification number, clave secreta, \
    numero secreto, geheimzahl, geheimnummer, code secret, code confidentiel, codigo \
    secreto, codigo pin, code pin";

const PASSWORD: &str = "\
    password, passwords, pass word, passphrase, pass phrase, passwd, pwd, memorable word, \
    contrasena, clave es, mi clave, su clave, passwort, kennwort, mot de passe, senha, \
    palavra passe";

const KEY: &str = "\
    api key, apikey, api token, api secret, access token, access key, auth token, \
    authentication token, authorization, bearer token, client secret, refresh token, secret \
    key, private key, secret token, session token, clave de api, clave api, api schlussel, \
    cle api, chave de api, chave api";

const IDENTITY: &str = "\
    ssn, social security, social security number, my social, your social, my social security, your social security, my social security number, your social security number, itin, tax id, tax \
    identification number, taxpayer id, tax number, tax file number, tfn, national \
    insurance, national insurance number, ni number, nino, nhs number, social insurance, \
    social insurance number, sin number, id number, identity number, identification number, \
    national id, national id number, identity card, identity card number, id card, id card \
    number, passport, passport number, passport no, driver s license, driver s license \
    number, drivers license, drivers license number, driving licence, driving licence \
    number, driving license, aadhaar, aadhar, aadhaar number, pan card, pan number, my \
    number card, nric, pps number, ppsn, dni, numero nie, mi nie, su nie, nif, numero de \
    identidad, numero de identificacion, documento de identidad, numero de documento, \
    cedula, numero de cedula, numero de la seguridad social, seguridad social, pasaporte, \
    numero de pasaporte, carnet de conducir, curp, rfc, rut, cuit, cuil, steuer id, \
    steuerid, steueridentifikationsnummer, steuer identifikationsnummer, steuernummer, \
    sozialversicherungsnummer, rentenversicherungsnummer, ausweisnummer, personalausweis, \
    personalausweisnummer, ahv nummer, reisepass, reisepassnummer, passnummer, fuhrerschein, \
    fuhrerscheinnummer, numero de securite sociale, securite sociale, numero fiscal, carte d \
    identite, numero de carte d identite, numero d identite, carte vitale, nir, passeport, \
    numero de passeport, permis de conduire, numero avs, numero national, cpf, cnpj, \
    contribuinte, numero de contribuinte, cartao de cidadao, bilhete de identidade, numero \
    de seguranca social, niss, passaporte, numero do passaporte, carta de conducao, bsn, \
    burgerservicenummer, pesel, personnummer, cpr nummer, cpr number, codice fiscale, \
    rijksregisternummer, fodselsnummer, henkilotunnus, rodne cislo";

const BANK: &str = "\
    iban, bank account, bank account number, bank details, routing number, aba number, sort \
    code, checking account, savings account, cuenta bancaria, numero de cuenta bancaria, \
    clabe, kontonummer, bankleitzahl, bankverbindung, compte bancaire, numero de compte \
    bancaire, conta bancaria, numero da conta bancaria, nib";

const LAST_FOUR: &str = "\
    last four, last 4, last4, last four digits, final four, ending in, ending with, ends in, \
    ends with, end in, ending, ultimos cuatro, ultimas cuatro, cuatro ultimas, cuatro \
    ultimos, ultimos 4, ultimas 4, termina en, terminada en, terminado en, acaba en, letzten \
    vier, letzten 4, endziffern, endet auf, endet mit, endend auf, quatre derniers, quatre \
    dernieres, 4 derniers, finissant par, finit par, termine par, ultimos quatro, quatro \
    ultimos, termina em, terminado em, terminada em";

const ACCOUNT: &str = "\
    account, account number, account no, customer number, customer id, client number, member \
    number, member id, membership number, user id, cuenta, numero de cuenta, numero de \
    cliente, cliente, kundennummer, mitgliedsnummer, kundenkonto, compte, numero de compte, \
    numero client, numero de client, conta, numero da conta";

const OTHER: &str = "\
    order, order number, order id, order no, purchase order, tracking, tracking number, \
    tracking id, tracking code, parcel, parcel number, shipment, shipment number, package, \
    invoice, invoice number, invoice no, booking, booking number, booking reference, booking \
    code, reservation, reservation number, confirmation number, confirmation code, \
    reference, reference number, reference code, ref, ref no, ticket, ticket number, case, \
    case number, case id, complaint number, policy, policy number, contract, contract \
    number, serial, serial number, serial no, model, model number, part number, item number, \
    product code, sku, isbn, barcode, imei, phone, phone number, telephone, telephone \
    number, mobile, mobile number, cell, cell number, fax, fax number, call me at, call me \
    on, reach me at, call back on, zip, zip code, postcode, postal code, area code, country \
    code, promo code, discount code, coupon, coupon code, voucher, voucher code, error code, \
    error, gift card, gift card number, loyalty card, loyalty card number, sim card, sim \
    card number, library card, bonus card, meter, meter reading, flight, flight number, \
    seat, amount, total, price, balance, cost, timestamp, transaction, transaction id, \
    transaction number, call id, extension, version, build, device id, license key, iccid, \
    eid, pedido, numero de pedido, seguimiento, numero de seguimiento, codigo de \
    seguimiento, envio, numero de envio, paquete, factura, numero de factura, reserva, \
    numero de reserva, codigo de reserva, referencia, numero de referencia, contrato, numero \
    de contrato, poliza, numero de poliza, telefono, numero de telefono, movil, celular, \
    codigo postal, vuelo, importe, numero de serie, incidencia, expediente, tarjeta regalo, \
    tarjeta de regalo, tarjeta sim, codigo promocional, bestellung, bestellnummer, \
    auftragsnummer, auftrag, sendung, sendungsnummer, sendungsverfolgung, paketnummer, \
    paket, rechnung, rechnungsnummer, buchung, buchungsnummer, buchungscode, reservierung, \
    reservierungsnummer, referenz, referenznummer, vertrag, vertragsnummer, police, \
    policennummer, versicherungsscheinnummer, telefon, telefonnummer, handynummer, handy, \
    rufnummer, mobilnummer, postleitzahl, plz, flug, flugnummer, betrag, seriennummer, \
    vorgang, vorgangsnummer, aktenzeichen, zahlernummer, geschenkkarte, gutscheincode, \
    commande, numero de commande, suivi, numero de suivi, colis, numero de colis, facture, \
    numero de facture, numero de reservation, code de reservation, numero de reference, \
    contrat, numero de contrat, numero de telephone, portable, code postal, vol, numero de \
    vol, montant, dossier, numero de dossier, carte cadeau, carte sim, code promo, \
    encomenda, numero da encomenda, numero de encomenda, numero do pedido, rastreio, \
    rastreamento, numero de rastreio, codigo de rastreio, fatura, numero da fatura, numero \
    da reserva, codigo da reserva, numero do contrato, apolice, numero da apolice, telefone, \
    numero de telefone, telemovel, voo, valor, processo, numero do processo, cartao \
    presente, cartao sim, cep";
