//! Texts of the demo tickets.

/// A topic of demo tickets.
pub(super) struct Topic {
    pub(super) subjects: &'static [&'static str],
    pub(super) stories: &'static [&'static str],
    pub(super) answers: &'static [&'static str],
    pub(super) tags: &'static [&'static str],
}

pub(super) const TOPICS: &[Topic] = &[
    Topic {
        subjects: &[
            "Cannot log in since this morning",
            "Locked out after a password change",
            "Login page from {place} shows an error",
            "Second factor is never accepted",
        ],
        stories: &[
            "I changed my password yesterday. Since then the login page in {place} says that it is wrong, on my laptop and on my phone.",
            "The code from my phone is rejected each time. The clock of the phone is right. A colleague in {place} has the same problem.",
            "After three attempts my account was locked. I have waited for an hour, and it is still locked.",
        ],
        answers: &[
            "I have unlocked your account. Please try again and tell me what you see.",
            "Could you open the page in a private window? That shows whether an old session causes the problem.",
            "Your second factor was bound to your old phone. I have reset it; the next login will ask you to set it up.",
        ],
        tags: &["login", "account", "security"],
    },
    Topic {
        subjects: &[
            "Printer in {place} prints only blank pages",
            "Printer queue is stuck",
            "The printer in {place} is on fire",
            "Scanner sends to the wrong folder",
        ],
        stories: &[
            "Since the toner was changed, every page from the printer in {place} comes out blank. The test page is fine.",
            "My document has been waiting in the queue for two hours. Others wait behind it.",
            "It began with a smell of toner. Now there is smoke over the printer in {place}, and the display shows an error.",
        ],
        answers: &[
            "Thank you. I have cleared the queue; please send the document again.",
            "A technician is on the way. Please unplug it, if you can do so safely.",
            "There is a strip of tape on the new cartridge. Does pulling it off help?",
        ],
        tags: &["printer", "hardware", "office"],
    },
    Topic {
        subjects: &[
            "Invoice shows the wrong address",
            "Charged twice for March",
            "How do I change our payment method?",
            "VAT number is missing on the invoice",
        ],
        stories: &[
            "Our company moved to {place} in spring. The last three invoices still show the old address, and our accountants reject them.",
            "Our card was charged twice on the same day. The invoices have different numbers and the same items.",
            "We want to pay by transfer instead of by card. I cannot find where to change that.",
        ],
        answers: &[
            "I have corrected the address and will send you new invoices for these months.",
            "You are right, that was one too many. The second amount goes back to your card within five days.",
            "It is under Settings, Billing, Payment. You need the owner role there.",
        ],
        tags: &["billing", "invoice"],
    },
    Topic {
        subjects: &[
            "VPN drops every few minutes",
            "No network in {place}",
            "Video calls from {place} stutter",
            "Guest Wi-Fi asks for an unknown code",
        ],
        stories: &[
            "The VPN disconnects about every ten minutes and comes back by itself. Wired or wireless makes no difference.",
            "Half of {place} has had no network since lunch. The lamps at the switch are off.",
            "In video calls I hear everyone, but they hear only every second word of mine. In the room next door it is fine.",
        ],
        answers: &[
            "We see the disconnects in our log. Please install the client update and restart.",
            "The switch had lost its power supply; it has a new one. Is everyone back online?",
            "Could you run a speed test during a call and send me the numbers?",
        ],
        tags: &["network", "vpn", "remote"],
    },
    Topic {
        subjects: &[
            "Export takes forever",
            "Report shows numbers from last week",
            "CSV export breaks umlauts",
            "Dashboard is empty for {place}",
        ],
        stories: &[
            "The export of last quarter has been running since yesterday evening. It used to take five minutes.",
            "The report for {place} shows last week's numbers, although the page says that it was refreshed today.",
            "When I open the exported file, names like Müller and Žižka are broken. In the browser they are right.",
        ],
        answers: &[
            "The export was waiting for a job that had failed. I have started it again; you will get an email when it is ready.",
            "Please open the file with the encoding UTF-8. We will add a byte order mark so that your program detects it.",
            "The numbers of last night are in now. Sorry for the wait.",
        ],
        tags: &["reports", "export", "data"],
    },
    Topic {
        subjects: &[
            "Request for a second screen",
            "New laptop for a colleague in {place}",
            "Keyboard types double letters",
            "Battery lasts twenty minutes",
        ],
        stories: &[
            "A new colleague starts in {place} on the first of next month and needs a laptop, a screen and a headset.",
            "The battery of my laptop is empty after twenty minutes. It is four years old.",
            "Some keys typee twicee, as you can see. I have cleaned them.",
        ],
        answers: &[
            "Ordered. It should arrive within a week; I will bring it to your desk.",
            "We have a new battery for you. Please come by between nine and eleven.",
            "Take one from the cupboard next to the kitchen and leave the old one there.",
        ],
        tags: &["hardware", "order", "onboarding"],
    },
];

pub(super) const PLACES: &[&str] = &[
    "Hall 2",
    "the Vienna office",
    "room 4.12",
    "the warehouse",
    "Brno",
    "the second floor",
    "the reception",
    "building C",
];

pub(super) const CLOSINGS: &[&str] = &[
    "Please help, I cannot work like this.",
    "It is not urgent, but it would be nice to have.",
    "Thank you in advance!",
    "I am in the office until four.",
    "Call me if you need more: I am in all day.",
];

pub(super) const REPLIES: &[&str] = &[
    "That helped, thank you!",
    "Sorry, no. It is exactly as before.",
    "I will try it tomorrow and tell you.",
    "Now I see another error, and it disappears when I reload.",
    "Yes, twice. Same result.",
    "It works for me now, but not for my colleague.",
];

pub(super) const NOTES: &[&str] = &[
    "Third ticket about this in a week. We should look at the cause.",
    "Talked to them on the phone, they are quite patient.",
    "Waiting for the supplier, who promised an answer by Friday.",
    "Same as the outage last month. See the report there.",
];
