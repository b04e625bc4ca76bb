//! The attributes of the Perkgate SDK, one for each interface of the contract: `#[perkgate::purchases]`, `#[perkgate::wakes]`…
//!
//! Each leaves the function as it is, holds it to its signature on every target, and exports it when the plugin is built
//! for wasm. What is exported is written once, in the SDK; these attributes only name the function.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, ItemFn, ReturnType, Type};

/// Makes a function the plugin's rule about purchases:
/// `fn(purchase: &Purchase, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn purchases(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&PURCHASES, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about refunds:
/// `fn(refund: &Refund, purchase: &Purchase, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// Taking back what the purchase earned needs no rule. A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn refunds(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&REFUNDS, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about new customers:
/// `fn(join: &Join, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn joins(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&JOINS, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about what members say about themselves:
/// `fn(profile: &Profile, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// What they are now is in the facts. A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn profiles(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&PROFILES, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about times that have come:
/// `fn(woken: &Woken, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn wakes(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&WAKES, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about rewards taken from the catalogue of the merchant, and given back:
/// `fn(redemption: &Redemption, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn redemptions(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&REDEMPTIONS, attribute.into(), &item.into())
}

/// Makes a function the plugin's rule about answers to what it asked:
/// `fn(answer: &Answer, facts: &Facts, settings: Settings) -> Result<Vec<Decision>, Refusal>`.
///
/// A rule without settings leaves the last argument out.
#[proc_macro_attribute]
pub fn answers(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(&ANSWERS, attribute.into(), &item.into())
}

/// One kind of rule.
struct Kind {
    /// The interface, the attribute and the SDK's module have this name.
    name: &'static str,
    /// What the rule is told besides the facts: argument name and SDK type.
    events: &'static [(&'static str, &'static str)],
}

const PURCHASES: Kind = Kind { name: "purchases", events: &[("purchase", "Purchase")] };
const REFUNDS: Kind = Kind { name: "refunds", events: &[("refund", "Refund"), ("purchase", "Purchase")] };
const JOINS: Kind = Kind { name: "joins", events: &[("join", "Join")] };
const PROFILES: Kind = Kind { name: "profiles", events: &[("profile", "Profile")] };
const WAKES: Kind = Kind { name: "wakes", events: &[("woken", "Woken")] };
const REDEMPTIONS: Kind = Kind { name: "redemptions", events: &[("redemption", "Redemption")] };
const ANSWERS: Kind = Kind { name: "answers", events: &[("answer", "Answer")] };

impl Kind {
    /// The arguments as the author should write them.
    fn arguments(&self) -> String {
        let events = self.events.iter().map(|(name, ty)| format!("{name}: &{ty}"));
        let all: Vec<_> = events.chain(["facts: &Facts".to_owned(), "settings: Settings".to_owned()]).collect();
        format!("({})", all.join(", "))
    }
}

fn expand(kind: &Kind, attribute: Tokens, item: &Tokens) -> TokenStream {
    // The function itself is kept when it is wrong, so that one mistake is one message.
    match rule(kind, attribute, item.clone()) {
        Ok(exported) => quote! {
            #[allow(clippy::needless_pass_by_value, reason = "settings are read for this one call, so the rule owns them")]
            #item
            #exported
        }
        .into(),
        Err(error) => {
            let error = error.into_compile_error();
            let kept = syn::parse2::<ItemFn>(item.clone()).is_ok_and(|function| function.sig.receiver().is_none());
            if kept { quote!(#item #error).into() } else { error.into() }
        }
    }
}

fn rule(kind: &Kind, attribute: Tokens, item: Tokens) -> Result<Tokens, Error> {
    let name = kind.name;
    if !attribute.is_empty() {
        return Err(Error::new_spanned(
            attribute,
            format!("`#[perkgate::{name}]` takes no arguments: what a plugin asks for stands in its plugin.toml"),
        ));
    }
    let function = syn::parse2::<ItemFn>(item.clone())
        .map_err(|_| Error::new_spanned(item, format!("`#[perkgate::{name}]` belongs above a function")))?;
    check(kind, &function)?;
    Ok(export(kind, &function))
}

/// Refuses what cannot be a rule, in a sentence that says what a rule is.
fn check(kind: &Kind, function: &ItemFn) -> Result<(), Error> {
    let signature = &function.sig;
    let says = |at: &dyn quote::ToTokens, text: String| Err(Error::new_spanned(at, text));
    if let Some(receiver) = signature.receiver() {
        return says(
            receiver,
            "a rule is a free function, not a method: it remembers only by `Decision::Remember`".into(),
        );
    }
    if let Some(asyncness) = &signature.asyncness {
        return says(
            asyncness,
            "a rule is not async: it has nothing to wait for, everything it may know is in its facts".into(),
        );
    }
    if let Some(unsafety) = &signature.unsafety {
        return says(unsafety, "a rule is a safe function".into());
    }
    if !signature.generics.params.is_empty() {
        return says(&signature.generics, "a rule is not generic: the gateway calls exactly one function".into());
    }
    let wanted = kind.events.len() + 1;
    if signature.inputs.len() != wanted && signature.inputs.len() != wanted + 1 {
        return says(
            &signature.ident,
            format!(
                "a rule about {} takes {} (`settings` only if it has any), this function takes {}",
                kind.name,
                kind.arguments(),
                match signature.inputs.len() {
                    0 => "nothing".to_owned(),
                    1 => "1 argument".to_owned(),
                    count => format!("{count} arguments"),
                }
            ),
        );
    }
    if let Some(FnArg::Typed(settings)) = signature.inputs.iter().nth(wanted)
        && let Type::Reference(_) = *settings.ty
    {
        return says(&settings.ty, "a rule takes its settings by value: they are read for this one call".into());
    }
    if let ReturnType::Default = signature.output {
        return says(
            &signature.ident,
            "a rule returns `Result<Vec<Decision>, Refusal>` (or its short name, `Decide`), this function returns nothing"
                .into(),
        );
    }
    Ok(())
}

/// The signature check for every target and the export for wasm. All paths are absolute: the author may shadow any name.
fn export(kind: &Kind, function: &ItemFn) -> Tokens {
    let name = &function.sig.ident;
    let interface = format_ident!("{}", kind.name);
    let export = format_ident!("export_{}", kind.name);
    // Names that no function has: a rule may well be called `woken` or `facts`, and would be hidden by an argument of its name.
    let events: Vec<_> = kind.events.iter().map(|(event, _)| format_ident!("__perkgate_{event}")).collect();
    let facts = format_ident!("__perkgate_facts");
    let types: Vec<_> = kind.events.iter().map(|(_, ty)| format_ident!("{ty}")).collect();
    // Conditional compilation above the function holds for its export too.
    let conditions: Vec<_> = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let settings = match function.sig.inputs.iter().nth(kind.events.len() + 1) {
        Some(FnArg::Typed(argument)) => Some(&argument.ty),
        _ => None,
    };
    let decide = quote!(::core::result::Result<::perkgate::__rt::Vec<::perkgate::Decision>, ::perkgate::Refusal>);
    let pointer = quote_spanned!(function.sig.output.span() =>
        fn(#(&::perkgate::#types,)* &::perkgate::Facts, #settings) -> #decide);
    let readable =
        settings.map(|ty| quote_spanned!(ty.span() => const _: fn() = ::perkgate::__rt::are_settings::<#ty>;));
    let call = settings.map_or_else(
        || quote!(#name(#(&#events,)* &#facts)),
        |ty| {
            quote! {
                ::perkgate::__rt::settings::<#ty>(&#facts)
                    .and_then(|__perkgate_settings| #name(#(&#events,)* &#facts, __perkgate_settings))
            }
        },
    );
    quote! {
        #(#conditions)*
        const _: #pointer = #name;
        #(#conditions)*
        #readable
        #(#conditions)*
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct __PerkgateRule;
            impl ::perkgate::__rt::#interface::Guest for __PerkgateRule {
                fn decide(#(#events: ::perkgate::#types,)* #facts: ::perkgate::Facts) -> #decide {
                    ::perkgate::__rt::start();
                    #call
                }
            }
            ::perkgate::__rt::#export!(__PerkgateRule with_types_in ::perkgate::__rt::#interface::bindings);
        };
    }
}
