//! HTML.

use doyen::prelude::*;

const PAGE: &str = "
<html>
    <head>
        <title>Some HTML in here</title>
    </head>
    <body>
        <h1>Look ma! HTML!</h1>
    </body>
</html>
";

/// Show the items
#[get("/items/", allow = anyone)]
async fn items() -> Html {
    Html(PAGE.to_owned())
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
