//! Shell and components: the only place that knows class names.
