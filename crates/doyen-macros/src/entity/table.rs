//! The table of an entity: its references and its indexes of several columns.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, Fields, LitStr, Token};

use crate::row::SeaOrm;
use crate::text::{self, Argument, Errors};

/// Generates the implementation of `HasTable`.
pub(super) fn expand(item: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let fields: Vec<&Field> = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields.named.iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let references: Vec<TokenStream> = fields
        .iter()
        .filter_map(|field| reference(field, errors))
        .collect();
    let indexes: Vec<TokenStream> = item
        .attrs
        .iter()
        .filter_map(|attribute| index(attribute, &fields, errors))
        .collect();
    quote! {
        #[automatically_derived]
        impl ::doyen::__private::data::table::HasTable for Entity {
            fn table() -> ::doyen::__private::data::table::Table {
                ::doyen::__private::data::entity_table::<Self>(
                    ::std::vec![#(#references),*],
                    ::std::vec![#(#indexes),*],
                )
            }
        }
    }
}

/// The name of the column of a field.
fn column(field: &Field) -> String {
    let renamed = SeaOrm::of(&field.attrs).text("column_name");
    renamed.unwrap_or_else(|| {
        let ident = field.ident.as_ref();
        ident
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default()
    })
}

/// `#[column(references = "users", on_delete = "cascade")]`
fn reference(field: &Field, errors: &mut Errors) -> Option<TokenStream> {
    let mut target: Option<LitStr> = None;
    let mut action: Option<LitStr> = None;
    let arguments = text::arguments(&field.attrs, "column", errors);
    for argument in &arguments {
        match argument.name().as_str() {
            "references" => target = errors.keep(argument.text()),
            "on_delete" => action = errors.keep(argument.text()),
            _ => errors.at(
                &argument.name,
                "write `#[column(references = \"users\")]`, with `on_delete = \"cascade\"` if the row goes with the other one",
            ),
        }
    }
    let Some(target) = target else {
        if let Some(action) = action {
            errors.at(action, "`on_delete` needs `references = \"..\"`");
        }
        return None;
    };
    let text = target.value();
    let (table, key) = text.split_once('.').unwrap_or((&text, "id"));
    if table.is_empty() || key.is_empty() || key.contains('.') {
        errors.at(
            &target,
            "write the table, or `table.column` for another column than `id`",
        );
    }
    let on_delete = match action.as_ref().map(LitStr::value).as_deref() {
        None => quote!(::core::option::Option::None),
        Some("cascade") => quote!(::core::option::Option::Some("CASCADE")),
        Some("set null") => quote!(::core::option::Option::Some("SET NULL")),
        Some("restrict") => quote!(::core::option::Option::Some("RESTRICT")),
        Some(_) => {
            errors.at(
                &action,
                "`on_delete` is \"cascade\", \"set null\" or \"restrict\"",
            );
            return None;
        }
    };
    let column = column(field);
    Some(quote! {
        ::doyen::__private::data::table::Reference {
            column: ::std::string::String::from(#column),
            table: ::std::string::String::from(#table),
            key: ::std::string::String::from(#key),
            on_delete: #on_delete,
        }
    })
}

/// `#[index(created_at, id)]`, `#[unique(owner, name)]`, with `name = ".."`
fn index(attribute: &Attribute, fields: &[&Field], errors: &mut Errors) -> Option<TokenStream> {
    let is_unique = attribute.path().is_ident("unique");
    if !is_unique && !attribute.path().is_ident("index") {
        return None;
    }
    let list = attribute.parse_args_with(Punctuated::<Argument, Token![,]>::parse_terminated);
    let mut columns = Vec::new();
    let mut name = String::new();
    let list = errors.keep(list)?;
    if list.is_empty() {
        errors.at(
            attribute,
            "an index needs columns: `#[index(created_at, id)]`",
        );
    }
    for argument in list {
        if argument.name() == "name" && argument.value.is_some() {
            name = errors.keep(argument.text())?.value();
            continue;
        }
        errors.keep(argument.plain());
        let mut of = fields
            .iter()
            .filter(|field| field.ident.as_ref() == Some(&argument.name));
        match of.next() {
            Some(field) => columns.push(column(field)),
            None => errors.at(
                &argument.name,
                "there is no such field: list fields of the model",
            ),
        }
    }
    Some(quote! {
        ::doyen::__private::data::table::Index {
            name: ::std::string::String::from(#name),
            columns: ::std::vec![#(::std::string::String::from(#columns)),*],
            is_unique: #is_unique,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    fn code(item: DeriveInput) -> syn::Result<TokenStream> {
        let mut errors = Errors::new();
        let code = expand(&item, &mut errors);
        errors.finish(code)
    }

    #[test]
    fn indexes_and_references_name_columns() {
        let code = rust(code(parse_quote! {
            #[index(owner, r#type, name = "mine")]
            #[unique(owner)]
            struct Model {
                #[column(references = "users", on_delete = "set null")]
                owner: Option<Uuid>,
                #[sea_orm(column_name = "kind")]
                #[column(references = "kinds.word")]
                r#type: String,
            }
        }));
        for part in [
            "name : :: std :: string :: String :: from (\"mine\")",
            "from (\"owner\") , :: std :: string :: String :: from (\"kind\")",
            "is_unique : true",
            "Some (\"SET NULL\")",
            "key : :: std :: string :: String :: from (\"word\")",
        ] {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn mistakes_are_reported_together() {
        let found = messages(code(parse_quote! {
            #[index(missing)]
            #[unique()]
            struct Model {
                #[column(references = "users", on_delete = "explode")]
                owner: Uuid,
                #[column(unique)]
                name: String,
            }
        }));
        assert_eq!(found.len(), 4, "{found:?}");
    }
}
