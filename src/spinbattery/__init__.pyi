from .analysis.bounds import bhatia_davis_precision as bhatia_davis_precision
from .charging import charge as charge
from .cost import Cost as Cost
from .engines.base import Engine as Engine
from .engines.product import Product as Product
from .engines.statevector import Statevector as Statevector
from .errors import SpinBatteryError as SpinBatteryError
from .network import SpinNetwork as SpinNetwork
from .network import complete as complete
from .network import from_networkx as from_networkx
from .network import ring as ring
from .network import torus as torus
from .network_text import parse_network as parse_network
from .problem import ChargingProblem as ChargingProblem
from .protocol import Protocol as Protocol
from .protocol import cooperative as cooperative
from .protocol import polarised as polarised
from .record import Record as Record
from .record import read_record as read_record
from .scales import EnergyScales as EnergyScales
from .scales import advantage_system6 as advantage_system6
from .spreadsheet import from_spreadsheet as from_spreadsheet
from .state import ProductState as ProductState
from .store import Store as Store
from .units import parse_duration as parse_duration
from .waveform import Waveform as Waveform

__version__: str
