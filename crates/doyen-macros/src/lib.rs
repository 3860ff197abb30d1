//! The attributes and derives of Doyen.
//!
//! Each macro has a module of the same name, which parses the attributes into a model and generates
//! code from it. Users reach the macros through the crate `doyen`, which documents them.

mod around;
mod convert;
mod entity;
mod event;
mod event_data;
mod inject;
mod input;
mod migrations;
mod output;
mod port;
mod problem;
mod provider;
mod regex;
mod responses;
mod role;
mod route;
mod row;
mod schema;
mod scope;
mod settings;
mod shape;
mod test;
mod text;

use proc_macro::TokenStream;

macro_rules! derive {
    ($name:ident($($helper:ident),*), $function:ident, $module:ident) => {
        #[allow(missing_docs, reason = "documented on the re-export")]
        #[proc_macro_derive($name, attributes($($helper),*))]
        pub fn $function(item: TokenStream) -> TokenStream {
            syn::parse(item).and_then($module::expand).unwrap_or_else(syn::Error::into_compile_error).into()
        }
    };
}

derive!(
    Entity(sea_orm, column, index, unique),
    derive_entity,
    entity
);
derive!(Event(event), derive_event, event);
derive!(EventData(event), derive_event_data, event_data);
derive!(Inject(inject), derive_inject, inject);
derive!(Input(input, validate), derive_input, input);
derive!(Output(output), derive_output, output);
derive!(Problem(problem), derive_problem, problem);
derive!(Scope(scope), derive_scope, scope);
derive!(Responses(), derive_responses, responses);
derive!(Role(role), derive_role, role);
derive!(Row(row, sea_orm), derive_row, row);
derive!(Settings(setting), derive_settings, settings);

macro_rules! attribute {
    ($name:ident, $expand:expr) => {
        #[allow(missing_docs, reason = "documented on the re-export")]
        #[proc_macro_attribute]
        pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
            $expand(arguments.into(), item.into())
                .unwrap_or_else(syn::Error::into_compile_error)
                .into()
        }
    };
}

attribute!(around, around::expand);
attribute!(port, port::expand);
attribute!(extractor, route::extractor::expand);
attribute!(provider, provider::expand);
attribute!(test, test::expand);
attribute!(get, |arguments, item| route::expand("GET", arguments, item));
attribute!(post, |arguments, item| route::expand(
    "POST", arguments, item
));
attribute!(put, |arguments, item| route::expand("PUT", arguments, item));
attribute!(patch, |arguments, item| route::expand(
    "PATCH", arguments, item
));
attribute!(delete, |arguments, item| route::expand(
    "DELETE", arguments, item
));

attribute!(socket, route::expand_socket);

#[allow(missing_docs, reason = "documented on the re-export")]
#[proc_macro]
pub fn routes(list: TokenStream) -> TokenStream {
    syn::parse(list)
        .map(route::list)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

#[allow(missing_docs, reason = "documented on the re-export")]
#[proc_macro]
pub fn migrations(folder: TokenStream) -> TokenStream {
    syn::parse(folder)
        .and_then(migrations::expand)
        .unwrap_or_else(|error: syn::Error| error.into_compile_error())
        .into()
}
