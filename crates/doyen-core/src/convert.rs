//! Support for the conversions of `#[derive(Input)]` and `#[derive(Output)]`. Not part of the
//! public API.

/// Conversion with `Into`. The trait exists for its error message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be converted into `{T}`",
    label = "this field has another type on the other side",
    note = "write `impl From<{Self}> for {T}`",
    note = "or give the value: `#[output(value = ..)]` on the field, `#[input(set(field = ..))]` on the struct"
)]
pub trait ConvertInto<T> {
    /// Converts the value.
    fn convert(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<S: Into<T>, T> ConvertInto<T> for S {
    fn convert(self) -> T {
        self.into()
    }
}
