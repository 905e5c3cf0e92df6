//! What can be wrong with a playbook's file: what, what it means, what to do.

mod course;
mod file;
mod form;
mod sentence;
mod step;

pub use course::CourseFault;
pub use file::FileFault;
pub use form::FormFault;
pub use sentence::SentenceFault;
pub use step::StepFault;

/// One fault at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What is wrong, a closed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// With the file as a whole.
    File(FileFault),
    /// With what stands at a place.
    Form(FormFault),
    /// With what callers hear and audiences read.
    Sentence(SentenceFault),
    /// With what is done and undone.
    Step(StepFault),
    /// With how a run goes on.
    Course(CourseFault),
}

/// What, what it means, what to do.
struct Words {
    what: String,
    means: &'static str,
    advice: String,
}

fn words(what: impl Into<String>, means: &'static str, advice: impl Into<String>) -> Words {
    Words {
        what: what.into(),
        means,
        advice: advice.into(),
    }
}

impl Fault {
    /// The whole of it as a person reads it: `FILE:LINE:COLUMN: what`, then what it means and what
    /// to do.
    pub fn told(&self, file: &str) -> String {
        let Words {
            what,
            means,
            advice,
        } = self.kind.words();
        let (line, column) = (self.line, self.column);
        format!("{file}:{line}:{column}: {what}\n    {means}\n    {advice}")
    }
}

impl FaultKind {
    /// What is wrong, in a line.
    pub fn what(&self) -> String {
        self.words().what
    }

    fn words(&self) -> Words {
        match self {
            Self::File(fault) => fault.words(),
            Self::Form(fault) => fault.words(),
            Self::Sentence(fault) => fault.words(),
            Self::Step(fault) => fault.words(),
            Self::Course(fault) => fault.words(),
        }
    }
}

impl From<FileFault> for FaultKind {
    fn from(fault: FileFault) -> Self {
        Self::File(fault)
    }
}

impl From<FormFault> for FaultKind {
    fn from(fault: FormFault) -> Self {
        Self::Form(fault)
    }
}

impl From<SentenceFault> for FaultKind {
    fn from(fault: SentenceFault) -> Self {
        Self::Sentence(fault)
    }
}

impl From<StepFault> for FaultKind {
    fn from(fault: StepFault) -> Self {
        Self::Step(fault)
    }
}

impl From<CourseFault> for FaultKind {
    fn from(fault: CourseFault) -> Self {
        Self::Course(fault)
    }
}
