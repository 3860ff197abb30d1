//! A user who is logged in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen::auth::Tokens;
use doyen::domain::{Caller, Scope as _};
use doyen_test::{Answer, Call, TestApp};
use helpdesk::access::{Role, Scope};
use serde_json::{Value, json};

/// The password of every test user.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A user who is logged in, and the requests they send.
#[derive(Clone)]
pub(crate) struct Person {
    app: TestApp,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Creates users of an application with the accounts of the helpdesk.
pub(crate) trait Join {
    async fn join(&self, name: &str, role: Role) -> Person;

    /// A new customer.
    async fn as_customer(&self) -> Person {
        self.join("Ada Customer", Role::Customer).await
    }

    /// A new agent.
    async fn as_agent(&self) -> Person {
        self.join("Grace Agent", Role::Agent).await
    }

    /// A new administrator.
    async fn as_admin(&self) -> Person {
        self.join("Barbara Admin", Role::Admin).await
    }
}

impl Join for TestApp {
    async fn join(&self, name: &str, role: Role) -> Person {
        let email = format!("person{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed));
        let new = json!({"email": email, "password": PASSWORD, "name": name});
        let id = self
            .post("/v1/auth/register")
            .json(&new)
            .send()
            .await
            .expect(201)
            .text_at("/id");
        if role != Role::Customer {
            // Only an administrator can appoint another one, so the first is created directly.
            use doyen::domain::Role as _;
            let changed = self
                .execute(
                    "UPDATE users SET role = $1 WHERE email = $2",
                    [role.name().into(), email.clone().into()],
                )
                .await;
            assert_eq!(changed, 1);
        }
        let token = login(self, &email, PASSWORD)
            .await
            .expect(200)
            .text_at("/access_token");
        Person {
            app: self.clone(),
            id,
            email,
            token,
        }
    }
}

/// The response to a login.
pub(crate) async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.post("/v1/auth/login")
        .json(&json!({"email": email, "password": password}))
        .send()
        .await
}

macro_rules! method {
    ($($name:ident)*) => {
        $(pub(crate) fn $name(&self, target: impl AsRef<str>) -> Call {
            self.app.$name(target).bearer(&self.token)
        })*
    };
}

impl Person {
    method!(get head post patch delete);

    pub(crate) fn request(&self, method: &str, target: impl AsRef<str>) -> Call {
        self.app.request(method, target).bearer(&self.token)
    }

    /// The same user on another node.
    pub(crate) fn at(&self, app: &TestApp) -> Person {
        Person {
            app: app.clone(),
            ..self.clone()
        }
    }

    /// The same user with a new login.
    pub(crate) async fn again(&self) -> Person {
        let token = login(&self.app, &self.email, PASSWORD)
            .await
            .expect(200)
            .text_at("/access_token");
        Person {
            token,
            ..self.clone()
        }
    }

    /// Creates a ticket with this subject.
    pub(crate) async fn opens(&self, subject: &str) -> Answer {
        self.opens_with(json!({"subject": subject, "body": "It does not work."}))
            .await
    }

    /// Creates this ticket.
    pub(crate) async fn opens_with(&self, ticket: Value) -> Answer {
        self.post("/v1/tickets")
            .json(&ticket)
            .send()
            .await
            .expect(201)
    }

    /// Reads a ticket.
    pub(crate) async fn sees(&self, ticket: &str) -> Answer {
        self.get(format!("/v1/tickets/{ticket}")).send().await
    }

    /// Comments on a ticket.
    pub(crate) async fn says(&self, ticket: &str, text: &str) -> Answer {
        self.post(format!("/v1/tickets/{ticket}/comments"))
            .json(&json!({"body": text}))
            .send()
            .await
    }

    /// Attaches a file to a ticket.
    pub(crate) async fn attaches(
        &self,
        ticket: &str,
        name: &str,
        media_type: &str,
        content: &[u8],
    ) -> Answer {
        self.post(format!("/v1/tickets/{ticket}/attachments"))
            .body(ATTACHMENT.0, attachment(name, media_type, content))
            .send()
            .await
    }

    /// Runs an action without a body on a ticket: `solve`, `close`, `reopen`.
    pub(crate) async fn does(&self, action: &str, ticket: &str) -> Answer {
        self.post(format!("/v1/tickets/{ticket}/{action}"))
            .send()
            .await
    }

    /// The subjects of the tickets in a list, in its order.
    pub(crate) async fn lists(&self, query: &str) -> Vec<String> {
        subjects(
            &self
                .get(format!("/v1/tickets?{query}"))
                .send()
                .await
                .expect(200),
        )
    }

    /// The same user with a token of these scopes only.
    pub(crate) async fn only(&self, role: Role, scopes: &[Scope]) -> Person {
        use doyen::domain::Role as _;
        let mut caller = Caller::new(&self.id);
        caller.scopes = scopes.iter().map(|scope| scope.name().into()).collect();
        caller.roles = vec![role.name().into()];
        let context = self.app.service().container().context();
        let Ok(tokens) = context.get::<Arc<Tokens>>().await else {
            panic!("there are no tokens")
        };
        let Ok(issued) = tokens.issue(&caller) else {
            panic!("no token was issued")
        };
        context.close().await;
        Person {
            token: issued.token.clone(),
            ..self.clone()
        }
    }
}

/// The media type of the form of an attachment, and the field that has the file.
pub(crate) const ATTACHMENT: (&str, &str) = ("multipart/form-data; boundary=b7x", "file");

/// The form of an attachment.
pub(crate) fn attachment(name: &str, media_type: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b7x\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{name}\"\r\n\
         Content-Type: {media_type}\r\n\r\n",
        ATTACHMENT.1
    );
    [head.as_bytes(), content, b"\r\n--b7x--\r\n"].concat()
}

/// The subjects of a page of tickets.
pub(crate) fn subjects(page: &Answer) -> Vec<String> {
    texts(page, "subject")
}

/// One field of each item of a page.
pub(crate) fn texts(page: &Answer, field: &str) -> Vec<String> {
    let items = page.at("/items");
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}
