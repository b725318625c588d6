//! The OpenAPI 3.1 document, generated from the handlers.

use utoipa::{
    OpenApi,
    openapi::{
        Ref, RefOr,
        content::ContentBuilder,
        path::{Operation, PathItem},
        response::ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::error::{Code, FieldError, Problem};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Heimdex",
        description = "A self-hosted video memory: upload videos, find the moment.\n\nErrors are RFC 9457 problem details with a stable `code`.",
    ),
    components(schemas(Problem, FieldError)),
    security(("bearer" = [])),
    tags(
        (name = "users", description = "The signed-in person"),
        (name = "uploads", description = "Sending a video in parts, straight to object storage"),
        (name = "videos", description = "A person's videos"),
        (name = "scenes", description = "What is in a video"),
        (name = "shares", description = "Links to a moment, for signed-in people"),
        (name = "people", description = "Who is there: people with a name, and faces without one"),
        (name = "search", description = "Finding moments"),
        (name = "events", description = "Live progress as server-sent events"),
        (name = "admin", description = "Looking after the installation; for operators and admins"),
        (name = "system", description = "Configuration and health"),
    )
)]
struct Document;

/// The whole document, without a running server.
pub fn document() -> utoipa::openapi::OpenApi {
    finish(crate::routes::router().into_openapi())
}

/// Adds what all operations share: the bearer scheme and the problem response.
pub fn finish(routes: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    document.merge(routes);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    let codes: Vec<String> =
        Code::ALL.iter().map(|code| format!("`{}` ({})", code.as_str(), code.status().as_u16())).collect();
    let problem = ResponseBuilder::new()
        .description(format!("What went wrong. Codes: {}.", codes.join(", ")))
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build();
    components.responses.insert("Problem".into(), RefOr::T(problem));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            operation
                .responses
                .responses
                .insert("default".into(), RefOr::Ref(Ref::new("#/components/responses/Problem")));
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Unique, and made of what the operation is: `post_videos_video_id_restore`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}
