using MuseAtelier.Tests.Server.Host;

namespace MuseAtelier.Tests.Server;

/// <summary>The server that the tests of other programs' clients share; they run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ClientServer : ICollectionFixture<RunningServer>
{
    public const string Name = "clients";
}
