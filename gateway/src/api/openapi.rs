//! The description of the API (OpenAPI 3.1), written by hand beside the code. Needs no token.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

/// Where it is.
pub(super) const PATH: &str = "/v1/openapi.json";
const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /v1/openapi.json`
pub(super) async fn document() -> Response<Body> {
    let mut response = Response::new(Body::from(DOCUMENT));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::problem::Code;
    use crate::api::table;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn read() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    /// Method, path and description of every operation.
    fn operations(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let methods = |(path, item): (&String, &Value)| {
            let item = item.as_object().unwrap().clone();
            let path = path.clone();
            item.into_iter()
                .filter(|(name, _)| name != "parameters")
                .map(move |(method, operation)| (method, path.clone(), operation))
                .collect::<Vec<_>>()
        };
        paths.iter().flat_map(methods).collect()
    }

    #[test]
    fn every_route_is_described_and_every_path_is_routed() {
        let described: BTreeSet<(String, String)> =
            operations(&read()).into_iter().map(|(method, path, _)| (method, path)).collect();
        let own = ("get".to_owned(), PATH.to_owned());
        let routed: BTreeSet<(String, String)> =
            table().into_iter().map(|(method, path, _)| (method.to_owned(), path.to_owned())).chain([own]).collect();
        assert_eq!(described, routed);
    }

    #[test]
    fn what_changes_something_takes_a_key_and_every_operation_has_a_name_of_its_own() {
        let document = read();
        let mut names = BTreeSet::new();
        for (method, path, operation) in operations(&document) {
            let place = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
            assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{place}");
            let wanted = serde_json::json!({"$ref": "#/components/parameters/IdempotencyKey"});
            let takes = operation["parameters"].as_array().is_some_and(|list| list.contains(&wanted));
            // Closing a task is one thing however often it is done, and looking somebody up is none.
            let idempotent = path.contains("/tasks/") || path.ends_with("/lookup");
            assert_eq!(takes, method != "get" && !idempotent, "{place}");
            let said = operation["responses"].as_object().unwrap();
            assert!(path == PATH || ["401", "403", "503"].iter().all(|status| said.contains_key(*status)), "{place}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            match value {
                Value::Object(map) => map.values().for_each(|value| walk(value, document)),
                Value::Array(list) => list.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document = read();
        walk(&document, &document);
    }

    #[test]
    fn every_code_is_told() {
        let document = read();
        let told = &document["components"]["schemas"]["Problem"]["properties"]["error"]["properties"]["code"]["enum"];
        let told: BTreeSet<&str> = told.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        let codes: BTreeSet<&str> = Code::rows().into_iter().map(|(_, code, _)| code).collect();
        assert_eq!(told, codes);
        let statuses = document["components"]["responses"].as_object().unwrap();
        for (status, code, sentence) in Code::rows() {
            assert!(statuses.contains_key(&format!("Problem{status}")), "{code} is answered {status}");
            assert!(!sentence.ends_with('.') && sentence.len() > 10);
        }
    }
}
