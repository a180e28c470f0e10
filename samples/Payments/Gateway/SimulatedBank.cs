using System.Collections.Concurrent;
using System.Net;
using Retry.Messaging.Http;

namespace Payments.Gateway;

/// <summary>What is behind the gateways, as one meets it: slow, choosy, and down for some seconds.</summary>
internal sealed class SimulatedBank(BankBooks books, Outage outage, TimeProvider time)
{
    private static readonly TimeSpan NetworkDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Maintenance = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, int> _calls = new();
    private readonly Lazy<long> _firstCall = new(time.GetTimestamp);

    public async Task<long> AuthorizeAsync(ChargeRequested charge, string? key, CancellationToken cancellationToken)
    {
        await ConnectAsync(cancellationToken);
        var trouble = Trouble.Of(charge.Reference);
        if (_calls.AddOrUpdate(charge.Reference, 1, (_, calls) => calls + 1) <= trouble.Calls)
        {
            switch (trouble.Kind)
            {
                case TroubleKind.NoAnswer:
                    await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
                    break;
                case TroubleKind.AnswerLost:
                    books.Authorize(charge.Reference, charge.Amount, key);
                    throw new HttpRequestException("POST https://gateway.example/authorizations: the connection broke off after the request.");
                case TroubleKind.Unavailable:
                    throw Answer(HttpStatusCode.ServiceUnavailable, retryAfter: TimeSpan.FromSeconds(1));
                case TroubleKind.TooManyRequests:
                    throw Answer(HttpStatusCode.TooManyRequests, retryAfter: TimeSpan.FromSeconds(2));
                case TroubleKind.Busy:
                    throw new GatewayBusyException();
                case TroubleKind.Closed:
                    throw new GatewayClosedException(Maintenance);
                case TroubleKind.Declined:
                    throw new CardDeclinedException(charge.PaymentId);
                case TroubleKind.BankDown:
                    throw Answer(HttpStatusCode.InternalServerError);
            }
        }

        return books.Authorize(charge.Reference, charge.Amount, key);
    }

    /// <summary>The authorization of a payment, if there is one.</summary>
    public async Task<long?> FindAsync(string reference, CancellationToken cancellationToken)
    {
        await ConnectAsync(cancellationToken);
        return books.Find(reference);
    }

    public async Task CaptureAsync(long authorization, CancellationToken cancellationToken)
    {
        await ConnectAsync(cancellationToken);
        books.Capture(authorization);
    }

    public async Task VoidAsync(long authorization, CancellationToken cancellationToken)
    {
        await ConnectAsync(cancellationToken);
        books.Void(authorization);
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var elapsed = time.GetElapsedTime(_firstCall.Value);
        await Task.Delay(NetworkDelay, time, cancellationToken);
        if (outage.Covers(elapsed))
        {
            throw Answer(HttpStatusCode.BadGateway);
        }
    }

    // A real gateway is called through HttpClient; its response.ThrowOnFailure() throws the same.
    private static HttpFailureException Answer(HttpStatusCode status, TimeSpan? retryAfter = null) =>
        new($"POST https://gateway.example/authorizations answered {(int)status} ({status}).", status, retryAfter);
}
