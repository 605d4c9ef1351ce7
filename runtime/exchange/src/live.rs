//! Calls going on, for those who look: where each is. It changes nothing.

use runtime_contract::GraphId;
use runtime_contract::record::CallRecord;
use runtime_session::Line;

use crate::call::Call;
use crate::record::step_text;

/// One call as it is now.
pub struct LiveCall<'c> {
    /// What is known so far: ends, last step and duration are still to come.
    pub record: &'c CallRecord,
    pub graph: GraphId,
    /// `hotline.hotline/main`, as in a record.
    pub step: String,
    /// `hotline.flow:42`: where it waits.
    pub place: String,
    pub line: Line,
}

impl Call {
    pub(crate) fn live(&self) -> LiveCall<'_> {
        let meta = self.program().meta();
        let site = self.session.site();
        LiveCall {
            record: &self.record,
            graph: self.record.graph,
            step: step_text(meta, site),
            place: meta.site(site).map_or_else(String::new, |site| meta.place_text(site.place)),
            line: self.session.line(),
        }
    }
}
