using System.Collections.Concurrent;
using System.Net;
using Retry.Messaging.Http;

namespace Payments.Gateway;

/// <summary>A gateway as one meets them: slow, choosy, and down for some seconds.</summary>
internal sealed class SimulatedGateway(Outage outage, TimeProvider time) : IPaymentGateway
{
    private static readonly TimeSpan NetworkDelay = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<string, int> _calls = new();
    private readonly Lazy<long> _firstCall = new(time.GetTimestamp);

    public async Task ChargeAsync(ChargeRequested charge, CancellationToken cancellationToken)
    {
        var elapsed = time.GetElapsedTime(_firstCall.Value);
        await Task.Delay(NetworkDelay, time, cancellationToken);
        if (outage.Covers(elapsed))
        {
            throw Answer(HttpStatusCode.BadGateway);
        }

        var trouble = Trouble.Of(charge.PaymentId);
        if (_calls.AddOrUpdate(charge.PaymentId, 1, (_, calls) => calls + 1) > trouble.Calls)
        {
            _calls.TryRemove(charge.PaymentId, out _);
            return;
        }

        switch (trouble.Kind)
        {
            case TroubleKind.NoAnswer:
                await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
                break;
            case TroubleKind.Unavailable:
                throw Answer(HttpStatusCode.ServiceUnavailable, retryAfter: TimeSpan.FromSeconds(1));
            case TroubleKind.TooManyRequests:
                throw Answer(HttpStatusCode.TooManyRequests, retryAfter: TimeSpan.FromSeconds(2));
            case TroubleKind.Busy:
                throw new GatewayBusyException();
            case TroubleKind.Declined:
                throw new CardDeclinedException(charge.PaymentId);
            case TroubleKind.BankDown:
                throw Answer(HttpStatusCode.InternalServerError);
        }
    }

    // A real gateway is called through HttpClient; its response.ThrowOnFailure() throws the same.
    private static HttpFailureException Answer(HttpStatusCode status, TimeSpan? retryAfter = null) =>
        new($"POST https://gateway.example/charges answered {(int)status} ({status}).", status, retryAfter);
}
