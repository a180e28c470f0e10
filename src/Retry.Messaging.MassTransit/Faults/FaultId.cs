using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Retry.Messaging.Wire;

namespace Retry.Messaging.MassTransit.Faults;

/// <summary>The id of a parked message's Fault: the same id for the same park, so a crash in between repeats the Fault, not another.</summary>
/// <remarks>The queue is a part of it, as virtual host and name: chains of older versions have the message id alone as their id, and an
/// event goes to several queues.</remarks>
internal static class FaultId
{
    public static Guid Of(RetryState parked, Uri inputAddress)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"fault:{inputAddress.AbsolutePath}:{parked.Id}:{parked.Replayed}");
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16);
        // RFC 9562, version 8 (custom) and variant bits
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash, bigEndian: true);
    }
}
