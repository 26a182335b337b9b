//! Asks a Prometheus server for the counters of canary and stable, to compare them.

use super::{
    http::Http,
    prometheus::{Query, Series, series, timeout},
    provider::{Question, Told, deadline},
};
use futures::future::try_join_all;
use rollout_core::analysis::{Answer, Compare, Count, Counters};

/// Asks all four queries at once, and measures.
pub(super) async fn ask(http: &Http, compare: &Compare, question: Question<'_>) -> Told {
    let settings = compare.prometheus();
    let read = |count: Count| {
        let query = Query::read(settings, compare.query(count), question.now);
        query.map(|query| (count, query)).map_err(|why| format!("{count}: {why}"))
    };
    let queries: Result<Vec<_>, String> = Count::ALL.into_iter().map(read).collect();
    let queries = match queries {
        Ok(queries) => queries,
        Err(why) => return Told::nothing(why),
    };
    let asked = queries.iter().map(|(count, query)| async move {
        let answer = query.send(http).await.map_err(|why| Answer::Unanswered { why, after: None });
        answer
            .and_then(|answer| series(&answer))
            .map(|series| (*count, series))
            .map_err(|why| named(*count, why))
    });
    let found = deadline(timeout(settings), async { Ok(try_join_all(asked).await) }).await;
    let told = match found {
        Ok(Ok(found)) => match counters(&found) {
            Ok(counters) => Told::answer(compare.measure(question.metric, question.result, &counters)),
            Err(why) => Told::nothing(why),
        },
        Ok(Err(unanswered)) => Told::answer(unanswered),
        Err(why) => Told::nothing(why),
    };
    told.hiding(queries.iter().flat_map(|(_, query)| query.secrets()))
}

/// Says which of the queries was not answered.
fn named(count: Count, mut answer: Answer) -> Answer {
    if let Answer::Unanswered { why, .. } = &mut answer {
        *why = format!("{count}: {why}");
    }
    answer
}

fn counters(found: &[(Count, Series)]) -> Result<Counters, String> {
    let mut counters = Counters::new();
    for (count, series) in found {
        for (labels, value) in series {
            counters.insert(*count, labels, *value).map_err(|error| error.to_string())?;
        }
    }
    Ok(counters)
}
