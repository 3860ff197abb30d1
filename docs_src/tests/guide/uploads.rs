//! The page on uploads and downloads.

use doyen::domain::Caller;
use doyen_test::{Setup, TestApp};
use serde_json::json;

struct Uploads(TestApp);

impl doyen_test::Subject for Uploads {
    fn app() -> doyen::App {
        crate::of(docs_src::uploads::module())
    }
    fn setup() -> Setup {
        let folder = std::env::temp_dir().join(format!("doyen-guide-{}", std::process::id()));
        let folder = folder.join(doyen::files::FileId::new().to_string());
        Setup::new()
            .set("files.folder", &folder.display().to_string())
            .set("jobs.work", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

const PDF: &str = "%PDF-1.7\n%";

fn form(content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nTrain\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"ticket.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n{content}\r\n--b--\r\n"
    )
}

#[doyen_test::test]
async fn receipts_are_kept_for_their_owner(app: Uploads) {
    let ada = app.0.as_user(Caller::new("ada"));
    let form_type = "multipart/form-data; boundary=b";
    let call = ada.post("/receipts").body(form_type, form(PDF));
    let kept = call.send().await.expect(201);
    assert_eq!(kept.at("/purpose"), json!("Train"));
    let path = format!("/receipts/{}", kept.text_at("/files/0"));
    assert_eq!(ada.get(&path).send().await.expect(200).text(), PDF);
    let part = ada.get(&path).header("range", "bytes=1-3").send().await;
    assert_eq!(part.expect(206).text(), "PDF");
    let other = app.0.as_user(Caller::new("eve"));
    let answer = other.get(&path).send().await;
    answer.expect_problem(404, "receipt_not_found");
    let link = ada
        .post(format!("{path}/links"))
        .send()
        .await
        .expect(200)
        .text();
    assert_eq!(app.0.get(link).send().await.expect(200).text(), PDF);
    let call = ada.post("/receipts").body(form_type, form("no PDF"));
    call.send().await.expect_problem(422, "file_type_mismatch");
}

#[doyen_test::test]
async fn receipts_can_be_resumable_uploads(app: Uploads) {
    let ada = app.0.as_user(Caller::new("ada"));
    let tus = |call: doyen_test::Call| call.header("tus-resumable", "1.0.0");
    let create = tus(ada.post("/uploads")).header("upload-length", PDF.len().to_string());
    let created = create.send().await.expect(201);
    let (first, rest) = PDF.split_at(4);
    for (offset, bytes) in [("0", first), ("4", rest)] {
        let patch = tus(ada.patch(created.location())).header("upload-offset", offset);
        let patch = patch.body("application/offset+octet-stream", bytes);
        patch.send().await.expect(204);
    }
    let body = json!({"uploads": [created.text_at("/id")], "purpose": "Travel"});
    let other = app.0.as_user(Caller::new("eve"));
    let answer = other.post("/receipts").json(&body).send().await;
    answer.expect_problem(422, "upload_unknown");
    let kept = ada.post("/receipts").json(&body).send().await.expect(201);
    assert_eq!(kept.at("/purpose"), json!("Travel"));
    let path = format!("/receipts/{}", kept.text_at("/files/0"));
    assert_eq!(ada.get(&path).send().await.expect(200).text(), PDF);
}
