//! What stands between a component's tags. Taken at once and not kept as a closure, so that a page can borrow
//! its data while it is being written.
use leptos::children::{ChildrenOptContainer, ToChildren};
use leptos::prelude::*;

/// The children of a component, already turned into one view.
pub struct Slot(pub AnyView);

impl Default for Slot {
    fn default() -> Self {
        Self(().into_any())
    }
}

impl IntoRender for Slot {
    type Output = AnyView;
    fn into_render(self) -> AnyView {
        self.0
    }
}

impl<F, C> ToChildren<F> for Slot
where
    F: FnOnce() -> C,
    C: IntoAny,
{
    fn to_children(f: F) -> Self {
        Self(f().into_any())
    }
}

impl<T: IntoAny> ToChildren<ChildrenOptContainer<T>> for Slot {
    fn to_children(children: ChildrenOptContainer<T>) -> Self {
        Self(children.0.into_any())
    }
}
