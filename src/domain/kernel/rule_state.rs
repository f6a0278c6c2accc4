//! State of class rules that is passed from one stage of a write to later ones.

use std::any::Any;

/// A value of a type that only the rules of the class know. The pipeline passes it from stage to stage. Empty for
/// classes whose rules have no state.
#[derive(Default)]
pub struct RuleState(Option<Box<dyn Any + Send + Sync>>);

impl RuleState {
    /// The value, if it has this type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }

    /// Takes the value; the default if there is none.
    #[must_use]
    pub fn take<T: Any + Default>(&mut self) -> T {
        self.0.take().and_then(|state| state.downcast().ok()).map_or_else(T::default, |state| *state)
    }

    /// Sets the value for later stages.
    pub fn put<T: Any + Send + Sync>(&mut self, state: T) {
        self.0 = Some(Box::new(state));
    }

    /// Modifies the value, or the default if there is none.
    pub fn change<T: Any + Send + Sync + Default>(&mut self, change: impl FnOnce(&mut T)) {
        let mut state = self.take();
        change(&mut state);
        self.put(state);
    }
}

#[cfg(test)]
mod tests {
    use super::RuleState;

    #[test]
    fn a_state_is_carried_on_by_its_type() {
        let mut state = RuleState::default();
        assert_eq!(state.get::<u8>(), None);
        state.change(|count: &mut u8| *count += 1);
        state.change(|count: &mut u8| *count += 1);
        assert_eq!(state.get::<u8>(), Some(&2));
        // Another class's rules do not see it.
        assert_eq!(state.get::<i64>(), None);
        assert_eq!(state.take::<u8>(), 2);
        assert_eq!(state.take::<u8>(), 0);
    }
}
