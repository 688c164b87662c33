//! What a device says of an error: Redfish's extended information (DSP0266, "Error responses"), as one line.

use driver_sdk::Value;

/// The most that a fault quotes, in characters.
const LONGEST: usize = 600;

/// The messages of an error body, or of a task. Empty if it has none.
pub(super) fn messages(body: &Value) -> String {
    let error = body.get("error").unwrap_or(body);
    let listed = ["@Message.ExtendedInfo", "Messages"]
        .into_iter()
        .find_map(|key| error.get(key));
    let listed = match listed {
        Some(Value::Array(messages)) => messages.iter().filter_map(message).collect::<Vec<_>>(),
        // Some write the one message without its list.
        Some(single) => message(single).into_iter().collect(),
        None => Vec::new(),
    };
    let text = if listed.is_empty() {
        let general = error.get("message").and_then(Value::as_str);
        general.unwrap_or_default().to_owned()
    } else {
        listed.join("; ")
    };
    crate::text::excerpt(text.trim(), LONGEST)
}

fn message(entry: &Value) -> Option<String> {
    let text = |key| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let message = text("Message")?;
    Some(match text("Resolution") {
        Some(resolution) if resolution != "None" && resolution != "None." => {
            format!("{message} {resolution}")
        }
        _ => message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use driver_sdk::json;

    use super::*;

    #[test]
    fn every_message_is_passed_on_with_what_to_do_about_it() {
        let body = json!({"error": {"code": "Base.1.8.GeneralError", "message": "See ExtendedInfo", "@Message.ExtendedInfo": [
            {"MessageId": "Base.1.8.PropertyValueNotInList", "Message": "The value x is not in the list.", "Resolution": "Choose another."},
            {"MessageId": "Base.1.8.Success"},
            {"Message": "And more.", "Resolution": "None"},
        ]}});
        assert_eq!(
            messages(&body),
            "The value x is not in the list. Choose another.; And more."
        );
    }

    #[test]
    fn an_error_without_extended_information_is_told_in_its_own_words() {
        assert_eq!(
            messages(&json!({"error": {"message": "no such thing"}})),
            "no such thing"
        );
        assert_eq!(
            messages(
                &json!({"error": {"message": "general", "@Message.ExtendedInfo": [{"MessageId": "x"}]}})
            ),
            "general"
        );
        assert_eq!(
            messages(&json!({"error": {"@Message.ExtendedInfo": {"Message": "alone"}}})),
            "alone"
        );
        assert_eq!(
            messages(&json!({"Messages": [{"Message": "of a task"}]})),
            "of a task"
        );
        assert_eq!(messages(&json!("text")), "");
    }

    #[test]
    fn a_long_story_stays_one_line_of_bounded_length() {
        let body = json!({"error": {"message": "x\n".repeat(5_000)}});
        let text = messages(&body);
        assert!(text.chars().count() <= LONGEST + 1 && !text.contains('\n'));
    }
}
