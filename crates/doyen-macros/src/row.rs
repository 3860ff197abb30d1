//! `#[derive(Row)]`: reads a struct from a database row, field by field.
//!
//! It reads the attributes of SeaORM's own derives, so that both agree on the names of columns.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, Lit, Meta, PathArguments, Token, Type,
};

use crate::text::{self, Errors};

pub(crate) fn expand(item: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let above = SeaOrm::of(&item.attrs);
    // `#[sea_orm::model]` copies the derives of a model to the struct that holds its relations.
    if item.ident == "ModelEx" && above.has("table_name") {
        return Ok(TokenStream::new());
    }
    if above.has("rename_all") {
        errors.at(&item.ident, "`Row` does not support `rename_all`: write `#[sea_orm(column_name = \"..\")]` on the fields");
    }
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a row cannot have generic parameters: use the types of the columns",
        );
    }
    let named = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let Some(named) = named else {
        errors.at(
            &item.ident,
            "a row is read by column names: write a struct with named fields",
        );
        return errors.finish(TokenStream::new());
    };
    let entity = above.has("table_name");
    let fields: Vec<TokenStream> = named
        .iter()
        .map(|field| read(field, entity, &mut errors))
        .collect();
    let name = &item.ident;
    let unlisted = text::unlisted();
    errors.finish(quote! {
        #[automatically_derived]
        #unlisted
        impl ::doyen::__private::data::Row for #name {
            fn read(
                cells: &mut ::doyen::__private::data::Cells<'_>,
            ) -> ::core::result::Result<Self, ::doyen::__private::data::sea_orm::DbErr> {
                let _ = &cells;
                ::core::result::Result::Ok(Self { #(#fields),* })
            }
        }
    })
}

/// Generates the initializer of a field.
fn read(field: &Field, entity: bool, errors: &mut Errors) -> TokenStream {
    let ident = field.ident.as_ref();
    let arguments = SeaOrm::of(&field.attrs);
    if arguments.has("skip") || arguments.has("ignore") {
        return quote!(#ident: ::core::default::Default::default());
    }
    if arguments.has("nested") {
        errors.at(
            field,
            "`Row` does not support nested structs: add a field for each column, or read the struct with SeaORM",
        );
    }
    let ty = &field.ty;
    let from = if entity {
        arguments.text("column_name")
    } else {
        arguments
            .text("from_alias")
            .or_else(|| arguments.text("alias"))
    };
    let column = from.unwrap_or_else(|| {
        ident
            .map(|ident| ident.unraw().to_string())
            .unwrap_or_default()
    });
    // Errors point at the type; the name `cells` is that of the macro.
    let span = ty.span().resolved_at(Span::call_site());
    let value = match way(field, errors) {
        Way::Plain => quote_spanned!(span=> cells.get::<#ty>(#column)?),
        Way::TryFrom(via) if is_option(ty) => {
            quote_spanned!(span=> cells.convert_option::<#via, _>(#column)?)
        }
        Way::TryFrom(via) => quote_spanned!(span=> cells.convert::<#via, #ty>(#column)?),
        Way::ActiveEnum if is_option(ty) => {
            quote_spanned!(span=> cells.active_enum_option(#column)?)
        }
        Way::ActiveEnum => quote_spanned!(span=> cells.active_enum::<#ty>(#column)?),
    };
    quote!(#ident: #value)
}

/// How the value of a column is converted to the type of the field.
enum Way {
    Plain,
    TryFrom(Box<Type>),
    ActiveEnum,
}

fn way(field: &Field, errors: &mut Errors) -> Way {
    let mut way = Way::Plain;
    for argument in text::arguments(&field.attrs, "row", errors) {
        match argument.name().as_str() {
            "try_from" => {
                let via = argument.text().and_then(|text| text.parse::<Type>());
                if let Some(via) = errors.keep(via) {
                    way = Way::TryFrom(Box::new(via));
                }
            }
            "active_enum" => {
                errors.keep(argument.plain());
                way = Way::ActiveEnum;
            }
            _ => errors.at(
                &argument.name,
                "write `#[row(try_from = \"String\")]`, with the type of the column, or `#[row(active_enum)]`",
            ),
        }
    }
    way
}

fn is_option(ty: &Type) -> bool {
    match text::ungrouped_type(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "Option" && matches!(last.arguments, PathArguments::AngleBracketed(_))
        }),
        _ => false,
    }
}

/// The arguments of `#[sea_orm(..)]`. SeaORM's own derives report errors in them.
pub(crate) struct SeaOrm(Vec<Meta>);

impl SeaOrm {
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let lists = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("sea_orm"))
            .filter_map(|attribute| {
                attribute
                    .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                    .ok()
            });
        Self(lists.flatten().collect())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|meta| is(meta.path().get_ident(), name))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find_map(|meta| match meta {
            Meta::NameValue(pair) if is(pair.path.get_ident(), name) => match &pair.value {
                Expr::Lit(literal) => match &literal.lit {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
    }
}

fn is(ident: Option<&Ident>, name: &str) -> bool {
    ident.is_some_and(|ident| ident == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{messages, rust};
    use syn::parse_quote;

    #[test]
    fn each_field_comes_from_the_column_that_seaorm_reads() {
        let code = rust(expand(parse_quote! {
            struct Card {
                id: i64,
                r#type: String,
                #[sea_orm(from_alias = "n")]
                name: Option<String>,
                #[sea_orm(column_name = "is for entities")]
                plain: i64,
                #[sea_orm(skip)]
                later: Vec<Tag>,
                #[row(try_from = "String")]
                status: Status,
                #[row(try_from = "String")]
                before: Option<Status>,
            }
        }));
        for part in [
            "id : cells . get :: < i64 > (\"id\") ?",
            "(\"type\")",
            "name : cells . get :: < Option < String > > (\"n\") ?",
            "(\"plain\")",
            "later : :: core :: default :: Default :: default ()",
            "status : cells . convert :: < String , Status > (\"status\") ?",
            "before : cells . convert_option :: < String , _ > (\"before\") ?",
        ] {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn an_entity_names_its_columns_and_its_companion_is_left_alone() {
        let code = rust(expand(parse_quote! {
            #[sea_orm(table_name = "tickets", model_ex)]
            struct Model {
                #[sea_orm(primary_key, column_name = "ticket_id")]
                id: i64,
                #[sea_orm(ignore)]
                cached: bool,
            }
        }));
        assert!(
            code.contains("(\"ticket_id\")") && code.contains("cached : :: core"),
            "{code}"
        );
        let code = rust(expand(parse_quote! {
            #[sea_orm(table_name = "tickets")]
            struct ModelEx {
                tags: HasMany<super::tag::Entity>,
            }
        }));
        assert_eq!(code, "");
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let wrong = messages(expand(parse_quote! {
            #[sea_orm(rename_all = "camelCase")]
            struct Card<T> {
                #[sea_orm(nested)]
                inner: T,
                #[row(from = "String")]
                status: Status,
            }
        }));
        assert_eq!(
            wrong,
            [
                "`Row` does not support `rename_all`: write `#[sea_orm(column_name = \"..\")]` on the fields",
                "a row cannot have generic parameters: use the types of the columns",
                "`Row` does not support nested structs: add a field for each column, or read the struct with SeaORM",
                "write `#[row(try_from = \"String\")]`, with the type of the column, or `#[row(active_enum)]`",
            ]
        );
        let wrong = messages(expand(parse_quote!(
            struct Pair(i64, i64);
        )));
        assert_eq!(
            wrong,
            ["a row is read by column names: write a struct with named fields"]
        );
    }
}
