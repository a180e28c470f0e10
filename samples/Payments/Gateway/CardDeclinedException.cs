namespace Payments.Gateway;

/// <summary>The bank said no: a failure, and another attempt would not help.</summary>
internal sealed class CardDeclinedException(string paymentId) : Exception($"The card for {paymentId} was declined.");
