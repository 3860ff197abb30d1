//! `#[derive(Entity)]`: completes a SeaORM entity that has no relations or hooks of its own.
//!
//! SeaORM requires a `Relation` enum and an `impl ActiveModelBehavior` in the module of each
//! entity, even if both are empty. `#[sea_orm::model]` generates the enum; then only the `impl` is
//! missing.
//!
//! It also implements `HasTable`. What SeaORM's attributes do not say, such as an index of several
//! columns, is in `#[index(..)]`, `#[unique(..)]` and `#[column(..)]`.

mod table;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::row::SeaOrm;
use crate::text::Errors;

/// Expands the derive.
pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let attributes = SeaOrm::of(&item.attrs);
    // `#[sea_orm::model]` copies the derives of a model to the struct that holds its relations.
    if item.ident == "ModelEx" && attributes.has("table_name") {
        return Ok(TokenStream::new());
    }
    let is_struct = matches!(item.data, Data::Struct(_));
    if item.ident != "Model" || !is_struct || !attributes.has("table_name") {
        return Err(syn::Error::new_spanned(
            &item.ident,
            "`Entity` completes the model of a SeaORM entity: write `#[derive(DeriveEntityModel, Entity)] #[sea_orm(table_name = \"..\")] struct Model { .. }`",
        ));
    }
    let visibility = &item.vis;
    let relation = (!attributes.has("model_ex")).then(|| {
        quote! {
            /// No relations.
            #[derive(Clone, Copy, Debug)]
            #[allow(unreachable_pub, reason = "as visible as the model")]
            #visibility enum Relation {}

            #[automatically_derived]
            impl ::doyen::__private::data::sea_orm::Iterable for Relation {
                type Iterator = ::core::iter::Empty<Self>;

                fn iter() -> Self::Iterator {
                    ::core::iter::empty()
                }
            }

            #[automatically_derived]
            impl ::doyen::__private::data::sea_orm::RelationTrait for Relation {
                fn def(&self) -> ::doyen::__private::data::sea_orm::RelationDef {
                    match *self {}
                }
            }
        }
    });
    let mut errors = Errors::new();
    let table = table::expand(&item, &mut errors);
    errors.finish(quote! {
        #relation
        #table

        #[automatically_derived]
        impl ::doyen::__private::data::sea_orm::ActiveModelBehavior for ActiveModel {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn a_model_is_completed_in_both_formats_of_seaorm() {
        let code = rust(expand(parse_quote! {
            #[sea_orm(table_name = "orders")]
            pub struct Model { id: i64 }
        }));
        assert!(
            code.contains("pub enum Relation { }") && code.contains("for ActiveModel"),
            "{code}"
        );
        let code = rust(expand(parse_quote! {
            #[sea_orm(table_name = "orders")]
            #[sea_orm(model_ex)]
            struct Model { id: i64 }
        }));
        assert!(
            !code.contains("Relation") && code.contains("for ActiveModel"),
            "{code}"
        );
        let code = rust(expand(parse_quote! {
            #[sea_orm(table_name = "orders")]
            struct ModelEx { id: i64 }
        }));
        assert_eq!(code, "");
    }

    #[test]
    fn anything_but_a_model_is_rejected() {
        for item in [
            parse_quote! { struct Model { id: i64 } },
            parse_quote! { #[sea_orm(table_name = "orders")] struct Order { id: i64 } },
            parse_quote! { #[sea_orm(table_name = "orders")] enum Model {} },
        ] {
            let found = messages(expand(item));
            assert!(
                found[0].starts_with("`Entity` completes the model"),
                "{found:?}"
            );
        }
    }
}
