//! People for tests: logged-in persons, and a company of them around the first project.

use dev::TestApp;
use kernel::{
    Code,
    caller::Role,
    ids::{InvitationId, OrganizationId, UserId},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use testkit::{
    Client,
    client::{Reply, Request},
};

/// Checks a refusal.
pub trait Refused {
    /// Checks that the answer is this problem. Returns the document.
    fn refused(&self, status: u16, code: Code) -> Value;
}

impl Refused for Reply {
    fn refused(&self, status: u16, code: Code) -> Value {
        let problem = self.json();
        assert_eq!((self.status, problem["code"].as_str()), (status, Some(code.as_str())), "{problem}");
        problem
    }
}

/// A person who is logged in.
pub struct Human {
    pub id: UserId,
    pub token: String,
    client: Client,
}

impl Human {
    pub async fn new(app: &TestApp, email: &str) -> Self {
        let (id, token) = app.person(email).await.unwrap();
        Self { id, token, client: app.client().clone() }
    }

    /// Returns the same person, with another access token.
    pub fn with(&self, token: String) -> Self {
        Self { id: self.id, token, client: self.client.clone() }
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        self.on(&self.client, method, path)
    }

    /// Starts a request of the same person to another replica.
    pub fn on(&self, replica: &Client, method: Method, path: &str) -> Request {
        replica.request(method, path).key(&self.token)
    }
}

/// The organization of the first project, with an owner.
pub struct Company {
    pub app: TestApp,
    pub id: OrganizationId,
    pub owner: Human,
}

impl Company {
    pub async fn start() -> Self {
        Self::of(TestApp::start_with(dev::AppOptions { worker: false, ..Default::default() }).await.unwrap())
            .await
    }

    pub async fn of(app: TestApp) -> Self {
        let owner = Human::new(&app, "owner@example.com").await;
        let id = app.join(owner.id, Role::Owner).await.unwrap();
        Self { app, id, owner }
    }

    /// Adds another member.
    pub async fn member(&self, role: Role) -> Human {
        let unique: UserId = self.app.core().ids.next();
        let human = Human::new(&self.app, &format!("{role}.{unique}@example.com")).await;
        self.app.join(human.id, role).await.unwrap();
        human
    }

    /// Adds an invitation that was sent long enough ago to be sent again.
    pub async fn old_invitation(&self) -> String {
        let id: InvitationId = self.app.core().ids.next();
        sqlx::query(
            "INSERT INTO invitations \
                 (id, organization_id, email, email_key, role, invited_by, created_at, expires_at) \
             VALUES ($1, $2, 'ada@example.com', gen_random_uuid()::text, 'read_only', $3, \
                     now() - interval '1 day', now() + interval '6 days')",
        )
        .bind(id)
        .bind(self.id)
        .bind(self.owner.id)
        .execute(self.app.core().db.pool())
        .await
        .unwrap();
        id.to_string()
    }

    /// Returns a path in the organization.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.id)
    }

    pub fn set_role(&self, by: &Human, whom: UserId, role: &str) -> Request {
        by.patch(&self.path(&format!("/members/{whom}")))
            .header("if-match", "*")
            .json(&json!({ "role": role }))
    }

    pub fn remove(&self, by: &Human, whom: UserId) -> Request {
        by.delete(&self.path(&format!("/members/{whom}")))
    }

    /// Makes `users` members, past the API.
    pub async fn restore(&self, users: &[UserId], role: Role) {
        for user in users {
            sqlx::query(
                "INSERT INTO memberships (organization_id, user_id, role, created_at) \
                 VALUES ($1, $2, $3, now()) \
                 ON CONFLICT (organization_id, user_id) DO UPDATE SET role = EXCLUDED.role",
            )
            .bind(self.id)
            .bind(user)
            .bind(role)
            .execute(self.app.core().db.pool())
            .await
            .unwrap();
        }
    }

    pub async fn owners(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM memberships WHERE organization_id = $1 AND role = 'owner'")
            .bind(self.id)
            .fetch_one(self.app.core().db.pool())
            .await
            .unwrap()
    }

    /// Returns the number of rows of a table, in all projects.
    pub async fn count(&self, table: &'static str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(sql).fetch_one(self.app.core().db.pool()).await.unwrap()
    }
}
