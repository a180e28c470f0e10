using System.Text.Json;

namespace Payments.Audit;

/// <summary>Reads MassTransit's envelope as any other program would.</summary>
internal static class ChargeBody
{
    public static string Reference(ReadOnlyMemory<byte> body)
    {
        using var envelope = JsonDocument.Parse(body);
        return envelope.RootElement.GetProperty("message").GetProperty("reference").GetString()!;
    }
}
