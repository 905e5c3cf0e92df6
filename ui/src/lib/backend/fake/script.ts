/** What callers and agents of the fake world say. */

export interface ScriptTurn {
  readonly caller: string;
  readonly agent: string;
  readonly tool?: string;
  readonly writes?: boolean;
}

export interface Script {
  readonly queue: string;
  readonly language: string;
  readonly intent: string;
  readonly ask: string;
  readonly turns: readonly [ScriptTurn, ...ScriptTurn[]];
}

export const SCRIPTS: readonly [Script, ...Script[]] = [
  {
    queue: "billing",
    language: "en-US",
    intent: "dispute_charge",
    ask: "dispute a double charge of 84.20 from 3 Nov.",
    turns: [
      {
        caller: "Hi, I was charged twice for the same order.",
        agent: "I am sorry about that. May I have the phone number on your account?",
      },
      {
        caller: "Sure, it ends in four four one nine.",
        agent: "Thank you, Maria. I see two charges of 84.20 on the third of November.",
        tool: "billing.find_charges",
      },
      {
        caller: "Yes, exactly. The second one is wrong.",
        agent: "Agreed, the second one has no order behind it. I will refund this today.",
        tool: "billing.refund",
        writes: true,
      },
      {
        caller: "How long will that take?",
        agent: "Two to five working days, depending on your bank, and you will get a message.",
      },
      {
        caller: "Okay. And can you send me a receipt?",
        agent: "Of course. Shall I send it to the address that we have for you?",
      },
    ],
  },
  {
    queue: "orders",
    language: "en-GB",
    intent: "track_order",
    ask: "find out where an order from last week is.",
    turns: [
      {
        caller: "Where is my parcel? It was due on Monday.",
        agent: "Let me look that up. What is the order number, please?",
      },
      {
        caller: "It's double seven, one nine, oh three.",
        agent: "Sure, your order is at the depot in Leeds and goes out tomorrow morning.",
        tool: "track_order",
      },
      {
        caller: "Can it come on Saturday instead?",
        agent: "Yes, between nine and one. Shall I book that for you?",
        tool: "delivery.slots",
      },
      {
        caller: "Please do.",
        agent: "Done: Saturday, nine to one. You will get a text message an hour before.",
        tool: "delivery.book",
        writes: true,
      },
    ],
  },
  {
    queue: "billing",
    language: "es-MX",
    intent: "explain_invoice",
    ask: "understand a charge on the October invoice.",
    turns: [
      {
        caller: "Hola, no entiendo un cargo en mi factura de octubre.",
        agent: "Con gusto le ayudo. ¿Me da los últimos cuatro dígitos de su cuenta?",
      },
      {
        caller: "Sí, siete siete cero dos.",
        agent: "Gracias. El cargo de 129 pesos es el seguro de su equipo.",
        tool: "billing.invoice",
      },
      {
        caller: "Yo no pedí ningún seguro.",
        agent: "Entiendo. Puedo cancelarlo hoy y pedir la devolución del último mes.",
      },
      {
        caller: "Sí, por favor, cancélelo.",
        agent: "Listo, queda cancelado desde hoy.",
        tool: "policy.cancel",
        writes: true,
      },
    ],
  },
  {
    queue: "cards",
    language: "en-US",
    intent: "card_lost",
    ask: "block a card that was lost this morning.",
    turns: [
      {
        caller: "I lost my card this morning and need it blocked.",
        agent: "I can block it right away. For your safety, what is your date of birth?",
      },
      {
        caller: "Ninth of May, eighty-four.",
        agent: "Thank you. The card ending in 2207 is blocked now.",
        tool: "cards.block",
        writes: true,
      },
      {
        caller: "Were there any payments I did not make?",
        agent: "The last payment was yesterday evening, 31.50 at a grocery store. Was that you?",
        tool: "cards.transactions",
      },
      {
        caller: "Yes, that one was me.",
        agent: "Good. A new card is on its way and should arrive within four days.",
      },
    ],
  },
  {
    queue: "travel",
    language: "en-GB",
    intent: "rebook_flight",
    ask: "rebook a cancelled flight to Lisbon.",
    turns: [
      {
        caller: "My flight to Lisbon has just been cancelled.",
        agent: "I am sorry. I can look for the next seats. How many of you are travelling?",
      },
      {
        caller: "Two adults and a child.",
        agent: "There are three seats together at 18:40, or tomorrow at 07:15.",
        tool: "flights.search",
      },
      {
        caller: "Today at 18:40, please.",
        agent: "I am holding those seats now. May I take the booking reference?",
        tool: "flights.hold",
        writes: true,
      },
    ],
  },
];

export const CUSTOMERS = [
  "Maria G.",
  "Tom W.",
  "Aisha K.",
  "Daniel R.",
  "Chloe B.",
  "Jorge M.",
  "Priya S.",
  "Liam O.",
  "Hannah F.",
  "Noah T.",
  "Lucía V.",
  "Grace E.",
] as const satisfies readonly [string, ...string[]];
