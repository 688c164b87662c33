//! stub
use super::*;
pub(super) fn find(
    api: &Api,
    ident: &str,
    _v: ApiVersion,
) -> Result<Arc<crate::node::fields::Node>, ApiError> {
    api.nodes
        .find(ident)
        .ok_or_else(|| ApiError::no_such_resource(ident))
}
pub(super) fn routes() -> axum::Router<Arc<Api>> {
    axum::Router::new()
}
