using MassTransit;

#pragma warning disable IDE0130 // a namespace below ours would see more than its usings say
namespace Shop;
#pragma warning restore IDE0130

internal sealed record Entry(string Text);

internal sealed class ForwardingConsumer(Uri address, Entry entry, HttpRequestMessage request) : IConsumer<ChargeRequested>
{
    public async Task Consume(ConsumeContext<ChargeRequested> context)
    {
        context.GetRetryChain().AddTo(request.Headers);        // an HttpRequestMessage
        await context.Send(address, entry, send => context.GetRetryChain().AddTo(send));
    }
}
