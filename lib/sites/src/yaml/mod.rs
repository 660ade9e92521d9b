//! YAML as a sites file has it: read into nodes, and written.
//!
//! [`values`] makes a [`node`] of each value, which holds whatever YAML can say. [`variables`] are the `${…}` in
//! texts. [`text`] goes the other way: values as they are written into a file.

pub(crate) mod node;
pub(crate) mod scalar;
pub(crate) mod text;
pub(crate) mod values;
pub(crate) mod variables;
