//! What of a body is looked at before it is journalled: whether it is a test, and whether it is about what its topic says. The
//! topic is a header that nobody signs, so whoever holds one signed body could send it again under another topic, and an order would
//! be read as a customer's joining.

use serde::Deserialize;
use serde::de::IgnoredAny;

/// Of any body.
#[derive(Deserialize)]
pub(super) struct Peek {
    /// On orders: made with a test payment.
    test: Option<bool>,
    /// On refunds, which have no flag of their own.
    transactions: Option<Vec<Transaction>>,
    /// `gid://shopify/Order/820982911946154508`; older API versions leave it out.
    admin_graphql_api_id: Option<String>,
    /// Orders have them, and so have drafts and checkouts.
    line_items: Option<IgnoredAny>,
    /// Refunds, fulfilments and transactions name their order so.
    order_id: Option<IgnoredAny>,
    /// Of an order; a customer has none.
    customer: Option<IgnoredAny>,
    /// Of a product.
    variants: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Transaction {
    test: Option<bool>,
}

impl Peek {
    /// Whether it was made with a test payment.
    pub(super) fn is_test(&self) -> bool {
        let of_transactions = self.transactions.iter().flatten().any(|transaction| transaction.test == Some(true));
        self.test == Some(true) || of_transactions
    }

    /// Why the body cannot be what its topic says.
    pub(super) fn contradicts(&self, topic: &str) -> Option<String> {
        let (family, _) = topic.split_once('/')?;
        let (wanted, fits) = match family {
            "orders" => ("Order", self.order_id.is_none() && self.variants.is_none()),
            "refunds" => {
                ("Refund", [&self.line_items, &self.customer, &self.variants].iter().all(|other| other.is_none()))
            }
            "customers" => {
                let others = [&self.line_items, &self.order_id, &self.customer, &self.variants];
                ("Customer", others.iter().all(|other| other.is_none()))
            }
            _ => return None,
        };
        let kind = self.admin_graphql_api_id.as_deref().and_then(|id| id.strip_prefix("gid://shopify/"));
        let named = kind.is_none_or(|id| id.split('/').next() == Some(wanted));
        (!fits || !named).then(|| {
            format!("the body is not about what `{topic}` is about; a topic is not signed, so it may have been changed on the way")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradicts(topic: &str, body: &str) -> bool {
        serde_json::from_str::<Peek>(body).unwrap().contradicts(topic).is_some()
    }

    #[test]
    fn a_body_is_held_against_its_topic() {
        let order = r#"{"id": 1, "created_at": "x", "line_items": [], "customer": {"id": 2}}"#;
        let refund = r#"{"id": 3, "order_id": 1, "refund_line_items": []}"#;
        let customer = r#"{"id": 2, "created_at": "x", "email": null, "line_items": null}"#;
        let product = r#"{"id": 4, "created_at": "x", "variants": []}"#;
        let collection = r#"{"id": 5, "created_at": "x", "admin_graphql_api_id": "gid://shopify/Collection/5"}"#;
        for (topic, fits) in [("orders/paid", order), ("refunds/create", refund), ("customers/create", customer)] {
            for body in [order, refund, customer, product, collection] {
                // A customer that says nothing of itself is no order and no refund either, which shows when it is read.
                let may_pass = body == fits || (topic != "customers/create" && body == customer);
                assert_eq!(contradicts(topic, body), !may_pass, "{topic} {body}");
            }
        }
        let named = |kind: &str| format!(r#"{{"id": 2, "admin_graphql_api_id": "gid://shopify/{kind}/2"}}"#);
        assert!(!contradicts("customers/create", &named("Customer")));
        assert!(contradicts("customers/create", &named("Company")) && contradicts("orders/paid", &named("DraftOrder")));
    }
}
