using System.Security.Cryptography;
using System.Text;

namespace Payments.Gateway;

/// <summary>What one payment meets at the gateway: drawn from its reference, so it is the same in every run.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Calls">For how many calls; after that it is authorized.</param>
internal sealed record Trouble(TroubleKind Kind, int Calls)
{
    private const string Seed = "unreliable:";
    private const int Always = int.MaxValue;

    public static Trouble Of(string reference)
    {
        // not GetHashCode: it differs from process to process
        var random = new Random(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(Seed + reference))));
        return random.Next(100) switch
        {
            < 4 => new Trouble(TroubleKind.Declined, Always),
            < 6 => new Trouble(TroubleKind.BankDown, Always),
            < 12 => new Trouble(TroubleKind.NoAnswer, random.Next(1, 3)),
            < 20 => new Trouble(TroubleKind.Unavailable, random.Next(1, 4)),
            < 26 => new Trouble(TroubleKind.TooManyRequests, random.Next(1, 3)),
            < 32 => new Trouble(TroubleKind.Busy, random.Next(1, 4)),
            < 38 => new Trouble(TroubleKind.AnswerLost, random.Next(1, 3)),
            < 41 => new Trouble(TroubleKind.Closed, random.Next(1, 3)),
            _ => new Trouble(TroubleKind.None, 0),
        };
    }
}
